// One change to all jobs that match.

import { counted } from "../domain/counted.ts";
import type { JobState } from "../domain/job.ts";
import { changeInSteps, countAll } from "../store/all-matching.ts";
import type { JobFilter } from "../store/jobs.ts";
import type { JobChange } from "../store/matching.ts";
import type { Store } from "../store/store.ts";
import { removeJobLogs } from "../worker/job-logs.ts";

interface Place {
  readonly store: Store;
  readonly home: string;
}

interface Changed {
  readonly changed: number;
  /** Jobs that match, and that it could not be done to. */
  readonly left: number;
}

/** Up to the job `newest`, by default the newest there is; what is deleted loses its logs, too. */
export async function changeMatching(
  place: Place,
  change: JobChange,
  filter: JobFilter,
  newest?: number,
): Promise<Changed> {
  const { store } = place;
  let changed = 0;
  let left = 0;
  for await (const step of changeInSteps(store, change, filter, newest ?? (await store.matching.newest()))) {
    removeJobLogs(place, step.removed);
    changed += step.changed;
    left += step.left;
  }
  return { changed, left };
}

/** How many match and are in any of these states. */
export async function countMatching(
  store: Store,
  filter: JobFilter,
  states: readonly JobState[],
): Promise<number> {
  const newest = await store.matching.newest();
  let count = 0;
  for (const state of states) count += await countAll(store, { ...filter, state }, newest);
  return count;
}

export const jobsAre = (count: number) => `${counted(count, "job")} ${count === 1 ? "is" : "are"}`;
