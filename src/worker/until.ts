// When a worker process goes without being told.

import { Refusal } from "../domain/errors.ts";
import { isSettled } from "../domain/job.ts";
import type { Store } from "../store/store.ts";

/** When it is stopped, when its queues hold nothing that runs or is to run, or when this one job is settled. */
export type Until = "stopped" | "empty" | { readonly seq: number; readonly id: string };

/** `queues`: null for every queue. A store that does not answer says nothing. */
export async function isReached(
  until: Until,
  store: Store,
  queues: readonly string[] | null,
): Promise<boolean> {
  if (until === "stopped") return false;
  try {
    if (until === "empty") return (await store.stats.expected(queues)) === 0;
    return isSettled((await store.jobs.find(until.id)).state);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.kind === "not_found";
  }
}
