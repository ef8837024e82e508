// What becomes of jobs, state after state, as somebody sees it who looks whenever the store may have changed.

import { Refusal } from "../domain/errors.ts";
import { isSettled, type Job, type JobState } from "../domain/job.ts";
import type { Store } from "../store/store.ts";
import { makeWakeup } from "../worker/wakeup.ts";
import { lookMs, restMs, watchMoved, wokenByAbort } from "./until-all.ts";

export interface JobEvent {
  readonly id: string;
  readonly state: JobState | "deleted";
  /** The state that was told before; null at first. */
  readonly before: JobState | null;
  /** The job as it is in this state; null when it is deleted. */
  readonly job: Job | null;
}

/** Ends when all jobs are settled or deleted, or the signal is aborted. */
export async function* eventsOf(
  store: Store,
  jobs: readonly Job[],
  signal: AbortSignal | undefined,
): AsyncGenerator<JobEvent, void, undefined> {
  const wakeup = makeWakeup();
  using _watch = store.watch(wakeup.wake);
  using _abort = wokenByAbort(signal, wakeup);
  const told = new Map<number, JobState>();
  let left = [...new Map(jobs.map((job) => [job.seq, job])).values()];
  const refuseMoved = watchMoved(store);
  while (!signal?.aborted) {
    await refuseMoved();
    const states = await store.jobs.states(left.map(({ seq }) => seq));
    const changed = left.filter(({ seq }) => told.get(seq) !== states.get(seq) || !states.has(seq));
    const over = new Set<number>();
    for (const one of changed) {
      const { seq, id } = one;
      const before = told.get(seq) ?? null;
      const job = states.has(seq) ? await lookUp(store, one) : null;
      if (job !== null) told.set(seq, job.state);
      if (job === null || isSettled(job.state)) over.add(seq);
      if (job?.state !== before) yield { id, state: job?.state ?? "deleted", before, job };
    }
    left = left.filter(({ seq }) => !over.has(seq));
    if (left.length === 0) return;
    await wakeup.wait(lookMs);
    if (left.length > 1) await Bun.sleep(restMs);
  }
}

/** Null when it is no more, also when its id is now the beginning of another's. */
async function lookUp(store: Store, { seq, id }: Job): Promise<Job | null> {
  try {
    const job = await store.jobs.find(id);
    return job.seq === seq ? job : null;
  } catch (error) {
    if (error instanceof Refusal && (error.kind === "not_found" || error.kind === "ambiguous")) return null;
    throw error;
  }
}
