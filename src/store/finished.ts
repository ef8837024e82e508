// Jobs that finished long ago: how many there are, and their removal in small steps.

import type { SettledState } from "../domain/job.ts";
import type { RemovedJob } from "./jobs.ts";
import type { Store } from "./store.ts";

/** Jobs of a state that finished before a moment. */
export interface Finished {
  readonly state: SettledState;
  readonly before: number;
  readonly jobs: number;
}

/** What is older, by state; ages are in seconds. */
export async function finishedLongAgo(
  store: Store,
  ages: ReadonlyMap<SettledState, number>,
): Promise<Finished[]> {
  const now = await store.now();
  const found: Finished[] = [];
  for (const [state, age] of ages) {
    // What finished at this very moment is as old as nothing.
    const before = now - age * 1000 + (age === 0 ? 1 : 0);
    found.push({ state, before, jobs: await store.jobs.finishedBefore(before, state) });
  }
  return found;
}

/** Small enough that a claim waits no longer than it would for another worker. */
const batch = 500;

export interface RemovalOptions {
  readonly before: number;
  readonly states: readonly SettledState[];
  /** Removes what the store has not removed of their logs. */
  readonly removeLogs: (removed: readonly RemovedJob[]) => void;
  /** Told after each step how many are removed by then. */
  readonly onStep?: (removed: number) => void;
}

/** Removes all jobs of these states that finished before a moment. Returns how many. */
export async function removeFinished(
  store: Store,
  { before, states, removeLogs, onStep }: RemovalOptions,
): Promise<number> {
  for (let count = 0; ; ) {
    const removed = await store.jobs.prune(before, batch, states);
    removeLogs(removed);
    count += removed.length;
    onStep?.(count);
    if (removed.length < batch) return count;
  }
}
