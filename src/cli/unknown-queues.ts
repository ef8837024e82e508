// Names of queues that may be misspelt.

import { didYouMean } from "../domain/nearest.ts";
import type { Store } from "../store/store.ts";

/** A word on each of these queues that no job has named, and of which nothing was said. */
export async function unknownQueues(store: Store, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const known = [...(await store.stats.queues()), ...(await store.queues.rules())].map(({ queue }) => queue);
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.map((name) => {
    const near = didYouMean(name, known);
    return `no job has named the queue ${name} yet${near === undefined ? "" : `; ${near}`}`;
  });
}
