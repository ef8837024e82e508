// Which queues are paused, for what people are told.

import { Refusal } from "../domain/errors.ts";
import type { Store } from "../store/store.ts";

/** Of these queues (null for all). A store that does not answer says nothing. */
export async function pausedQueues(store: Store, queues: readonly string[] | null): Promise<string[]> {
  try {
    const rules = await store.queues.rules();
    return rules
      .filter(({ queue, paused_at }) => paused_at !== null && (queues?.includes(queue) ?? true))
      .map(({ queue }) => queue);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [];
  }
}
