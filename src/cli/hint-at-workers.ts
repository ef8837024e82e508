// What somebody who enqueues at a terminal may not know: that no worker is there for the job, or that its queue is paused.

import { serves } from "../domain/worker.ts";
import type { Store } from "../store/store.ts";
import { workersAsSeen } from "../worker/liveness.ts";
import { hint, isTerminal } from "./streams.ts";

export async function hintAtWorkers(store: Store, queues: readonly string[]): Promise<void> {
  if (!isTerminal(2)) return;
  const unserved = await unservedOf(store, queues);
  if (unserved.length > 0) hint(unservedText(unserved));
  for (const { queue, paused_at } of await store.queues.rules()) {
    if (paused_at !== null && queues.includes(queue))
      hint(`the queue ${queue} is paused; queuectl queue resume ${queue} lets it go on`);
  }
}

/** Those of some queues that no worker serves. */
export async function unservedOf(store: Store, queues: readonly string[]): Promise<readonly string[]> {
  const workers = await workersAsSeen(store);
  return queues.filter((queue) => !workers.some((worker) => serves(worker, queue)));
}

const mostNamed = 5;

export function unservedText(queues: readonly string[]): string {
  const more = queues.length - mostNamed;
  const names = `${queues.slice(0, mostNamed).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `no worker serves ${names} yet; start one: queuectl worker`;
}
