// What is done to all that match, each job at most once.

import { changeInSteps } from "../store/all-matching.ts";
import type { JobFilter } from "../store/jobs.ts";
import type { JobChange } from "../store/matching.ts";
import type { Web } from "./web.ts";

/** Running jobs whose end is asked for at once. */
const batch = 500;

export interface BulkResult {
  readonly changed: number;
  readonly left: number;
}

export interface BulkStep extends BulkResult {
  /** How much of the queue was walked, 0 to 1. */
  readonly share: number;
}

interface BulkAsked {
  readonly change: JobChange;
  readonly filter: JobFilter;
  readonly newest: number;
}

/** Changes all that match, up to the job that was the newest when it was asked for, until it is told to stop. */
export async function changeAll(
  web: Web,
  { change, filter, newest }: BulkAsked,
  signal: AbortSignal = web.stopping,
  onStep: (step: BulkStep) => void = () => {},
): Promise<BulkResult> {
  let changed = 0;
  let left = 0;
  for await (const step of changeInSteps(web.store, change, filter, newest)) {
    web.processes.removeLogs(step.removed);
    changed += step.changed;
    left += step.left;
    onStep({ changed, left, share: 1 - (step.older ?? 0) / (newest + 1) });
    await Bun.sleep(0);
    if (signal.aborted) break;
  }
  if (change === "cancel") {
    const { jobs } = await web.store.matching.page(
      { ...filter, state: "processing" },
      { limit: batch, scan: batch },
    );
    await web.processes.endCancelled(jobs);
  }
  return { changed, left };
}
