// Waits until jobs are what somebody waits for them to be.

import type { Job, JobState } from "../domain/job.ts";
import { noSuchJob } from "../store/refusals.ts";
import type { Store } from "../store/store.ts";
import { makeWakeup, type Wakeup } from "../worker/wakeup.ts";

/** How often to look when nothing is heard. */
export const lookMs = 500;

/** The least time between two looks at many jobs: to be told of each at once would cost the workers more than it tells. */
export const restMs = 100;

export interface Patience {
  /** Seconds. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The jobs as they are once each is what it should be; undefined when the time is up before. What a job was when it was looked at
 * counts, also when it is something else again in the end. Refused when one of them is deleted (`not_found`) and when the queue
 * moves (`unusable`); rejected with the signal's reason when that is aborted.
 */
export async function untilAll(
  store: Store,
  jobs: readonly Job[],
  isEnough: (state: JobState) => boolean,
  { timeout, signal }: Patience = {},
): Promise<readonly Job[] | undefined> {
  const wakeup = makeWakeup();
  using _watch = store.watch(wakeup.wake);
  using _abort = wokenByAbort(signal, wakeup);
  const deadline = deadlineOf(timeout);
  const found = new Map<number, Job>();
  const refuseMoved = watchMoved(store);
  for (;;) {
    signal?.throwIfAborted();
    await refuseMoved();
    const missing = jobs.filter(({ seq }) => !found.has(seq));
    const states = await store.jobs.states(missing.map(({ seq }) => seq));
    for (const { seq, id } of missing) {
      const state = states.get(seq);
      if (state === undefined) throw noSuchJob(id);
      if (!isEnough(state)) continue;
      const job = await store.jobs.find(id);
      if (job.seq !== seq) throw noSuchJob(id);
      if (isEnough(job.state)) found.set(seq, job);
    }
    if (jobs.every(({ seq }) => found.has(seq))) return jobs.map(({ seq }) => found.get(seq)!);
    const left = () => deadline - performance.now();
    if (left() <= 0) return undefined;
    await wakeup.wait(Math.min(lookMs, left()));
    if (missing.length > 1) await Bun.sleep(Math.max(0, Math.min(restMs, left())));
  }
}

/** How often to ask whether the queue has moved. */
const movedMs = 1000;

/** Refuses once the queue has moved: what is left of it can be read and never changes, so that whoever waits would do so for ever. */
export function watchMoved(store: Pick<Store, "refuseMoved">): () => Promise<void> {
  let knownAt = performance.now();
  return async () => {
    if (performance.now() - knownAt < movedMs) return;
    await store.refuseMoved();
    knownAt = performance.now();
  };
}

/** By the steady clock. */
export const deadlineOf = (seconds: number | undefined) =>
  seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1000;

/** Lets whoever sleeps see that the signal is aborted. */
export function wokenByAbort(signal: AbortSignal | undefined, { wake }: Pick<Wakeup, "wake">): Disposable {
  signal?.addEventListener("abort", wake);
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", wake) };
}
