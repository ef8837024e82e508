// The exit status that `run` and `wait` pass on: the job's own.

import type { Job } from "../domain/job.ts";
import { signalStatus } from "../runner/run.ts";
import type { Store } from "../store/store.ts";
import { cancelled, done, notDone, timedOut } from "./exit-status.ts";

/** 0 completed, 130 cancelled; for a dead job its last exit status, 128 + signal, or 124 when it timed out. */
export async function exitStatusOf(store: Store, job: Job): Promise<number> {
  if (job.state === "completed") return done;
  if (job.state === "cancelled") return cancelled;
  const last = (await store.jobs.attempts(job.seq)).at(-1);
  if (last?.result === "timed_out") return timedOut;
  if (last?.signal) return signalStatus(last.signal);
  return last?.exit_code ?? notDone;
}
