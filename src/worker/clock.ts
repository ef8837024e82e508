// Notices that the wall clock was set back, by holding it against the one that nobody sets.

/** How far the wall clock may fall behind between two looks before it was set back, and did not only drift. */
const stepMs = 1_000;

/** How far the wall clock is ahead of the steady one. */
const leadNow = () => Date.now() - performance.now();

/**
 * Each call looks once, and passes on by how many milliseconds the clock was set back since the last look, if it was. What could
 * not be passed on is passed on by the next call.
 */
export function watchClock(onSetBack: (ms: number) => Promise<void>): () => Promise<void> {
  let lead = leadNow();
  return async () => {
    const now = leadNow();
    if (lead - now > stepMs) await onSetBack(lead - now);
    lead = now;
  };
}
