// The queues as commands show them: what they hold, and what was said of them.

import { didYouMean } from "../domain/nearest.ts";
import { allQueues, nothingSaid, type Queue } from "../domain/queue.ts";
import type { Store } from "../store/store.ts";

export const readQueues = async (store: Store): Promise<Queue[]> =>
  allQueues(await store.stats.queues(), await store.queues.rules());

/** Any name is a queue's: one that no job has named yet has none. */
export async function findQueue(store: Store, name: string): Promise<Queue> {
  const found = (await readQueues(store)).find(({ queue }) => queue === name);
  return found ?? allQueues([], [nothingSaid(name)])[0]!;
}

/** A word on each of these queues that no job has named, and of which nothing was said: it may be misspelt. */
export async function unknownQueues(store: Store, names: readonly string[]): Promise<string[]> {
  const known = (await readQueues(store)).map(({ queue }) => queue);
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.map((name) => {
    const near = didYouMean(name, known);
    return `no job has named the queue ${name} yet${near === undefined ? "" : `; ${near}`}`;
  });
}
