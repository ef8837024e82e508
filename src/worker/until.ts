// When a worker process goes without being told.

import { Refusal } from "../domain/errors.ts";
import { isSettled, type Job, type NewJob } from "../domain/job.ts";
import type { Store } from "../store/store.ts";

/** When it is stopped, when its queues hold nothing that runs or is to run, or when the job that it came with is settled. */
export type Until = "stopped" | "empty" | OwnJob;

/** Stored when the process has entered. */
export interface OwnJob {
  readonly job: NewJob;
  readonly onStored: (job: Job) => void;
}

/** `queues`: null for every queue. A store that does not answer says nothing. */
export async function isReached(
  until: Until,
  store: Store,
  { queues, own }: { queues: readonly string[] | null; own: Job | undefined },
): Promise<boolean> {
  if (until === "stopped") return false;
  try {
    if (until === "empty") return (await store.stats.expected(queues)) === 0;
    return own !== undefined && isSettled((await store.jobs.find(own.id)).state);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.kind === "not_found";
  }
}
