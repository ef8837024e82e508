// The queues as commands show them: what they hold, and what was said of them.

import { allQueues, nothingSaid, type Queue } from "../domain/queue.ts";
import type { Store } from "../store/store.ts";

export const readQueues = async (store: Store): Promise<Queue[]> =>
  allQueues(await store.stats.queues(), await store.queues.rules());

/** Any name is a queue's: one that no job has named yet has none. */
export async function findQueue(store: Store, name: string): Promise<Queue> {
  const found = (await readQueues(store)).find(({ queue }) => queue === name);
  return found ?? allQueues([], [nothingSaid(name)])[0]!;
}
