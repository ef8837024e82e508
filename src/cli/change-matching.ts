// One change to all jobs that match.

import { changeInSteps } from "../store/change-in-steps.ts";
import type { JobFilter } from "../store/jobs.ts";
import type { JobChange } from "../store/matching.ts";
import type { Store } from "../store/store.ts";
import { removeJobLogs } from "../worker/job-logs.ts";

interface Place {
  readonly store: Store;
  readonly home: string;
}

/** Returns how many it was done to; what is deleted loses its logs, too. */
export async function changeMatching(place: Place, change: JobChange, filter: JobFilter): Promise<number> {
  const { store } = place;
  let changed = 0;
  for await (const step of changeInSteps(store, change, filter, await store.matching.newest())) {
    removeJobLogs(place, step.removed);
    changed += step.changed;
  }
  return changed;
}
