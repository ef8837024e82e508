// The one table from what went wrong to the exit status.

import type { RefusalKind } from "../domain/errors.ts";
import type { Job } from "../domain/job.ts";

export const done = 0;
export const notDone = 1;
const usedWrongly = 2;
/** As timeout(1) has it. */
export const timedOut = 124;
/** 128 + SIGINT, as a shell has it. */
const cancelled = 130;

export const statusOf: Readonly<Record<RefusalKind, number>> = {
  usage: usedWrongly,
  not_found: notDone,
  ambiguous: notDone,
  conflict: notDone,
  wrong_state: notDone,
  unavailable: notDone,
  unusable: notDone,
};

/** What `run` and `wait` pass on: the settled job's own. A dead job's may be unknown, when it was lost, or be 0 that was no success. */
export function statusOfJob(job: Job): number {
  if (job.state === "completed") return done;
  if (job.state === "cancelled") return cancelled;
  return job.last_exit_code || notDone;
}
