// Clocks: how long until a moment of the store's, and whether this machine's was set back.

import { Refusal } from "../domain/errors.ts";
import type { Store } from "../store/store.ts";

/** Milliseconds until a moment by the store's clock; `otherwise` when that cannot be asked. */
export async function msUntil(store: Store, moment: number, otherwise: number): Promise<number> {
  try {
    return Math.max(0, moment - (await store.now()));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return otherwise;
  }
}

/** How far the wall clock may fall behind between two looks before it was set back, and did not only drift. */
const stepMs = 1_000;

/** How far the wall clock is ahead of the steady one. */
const leadNow = () => Date.now() - performance.now();

/**
 * Notices that the wall clock was set back, by holding it against the one that nobody sets. Each call looks once, and passes on by how
 * many milliseconds the clock was set back since the last look, if it was. What could not be passed on is passed on by the next call.
 */
export function watchClock(onSetBack: (ms: number) => Promise<void>): () => Promise<void> {
  let lead = leadNow();
  return async () => {
    const now = leadNow();
    if (lead - now > stepMs) await onSetBack(lead - now);
    lead = now;
  };
}
