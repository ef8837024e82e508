// The queues as commands show them: what they hold, and what was said of them.

import { allQueues, type Queue, queueNamed } from "../domain/queue.ts";
import type { Store } from "../store/store.ts";

export const readQueues = async (store: Store): Promise<Queue[]> =>
  allQueues(await store.stats.queues(), await store.queues.rules());

export const findQueue = async (store: Store, name: string): Promise<Queue> =>
  queueNamed(name, await readQueues(store));
