// A store that waits for a database that does not answer, for whoever has nothing to do but to wait: a job's fate is none the clearer
// when its watcher goes.

import { Refusal } from "../domain/errors.ts";
import { watchMoved } from "../library/until-all.ts";
import type { Store } from "../store/store.ts";

export interface Patience {
  /** Called when the database does not answer, once until it does. */
  readonly onTrouble?: (refusal: Refusal) => void;
  readonly onOver?: () => void;
  /** Aborted when there is nothing to wait for any more: then it refuses as any store does. */
  readonly signal?: AbortSignal;
  /** And after this moment, by `performance.now()`. */
  readonly until?: number;
}

const againMs = 500;

/**
 * Asks again as long as a question is refused as `unavailable`, and refuses when the queue moves meanwhile. For questions only: what
 * changes something might be done twice.
 */
export function patientStore(
  store: Store,
  { onTrouble, onOver, signal, until = Number.POSITIVE_INFINITY }: Patience = {},
): Store {
  let inTrouble = false;
  const refuseMoved = watchMoved(store);
  const isOver = () => signal?.aborted || performance.now() >= until;

  async function patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        await refuseMoved();
        const answer = await ask();
        if (inTrouble) onOver?.();
        inTrouble = false;
        return answer;
      } catch (error) {
        if (!isUnavailable(error) || isOver()) throw error;
        if (!inTrouble) onTrouble?.(error);
        inTrouble = true;
      }
      await Bun.sleep(againMs);
    }
  }

  const { find, attempts, states } = store.jobs;
  const { outstanding } = store.stats;
  const { page, count } = store.matching;
  const { output } = store;
  return {
    ...store,
    refuseMoved: () => patiently(store.refuseMoved),
    jobs: {
      ...store.jobs,
      find: (...words) => patiently(() => find(...words)),
      attempts: (...words) => patiently(() => attempts(...words)),
      states: (...words) => patiently(() => states(...words)),
    },
    stats: { ...store.stats, outstanding: (...words) => patiently(() => outstanding(...words)) },
    matching: {
      ...store.matching,
      page: (...words) => patiently(() => page(...words)),
      count: (...words) => patiently(() => count(...words)),
    },
    output: output && {
      ...output,
      size: (...words) => patiently(() => output.size(...words)),
      gap: (...words) => patiently(() => output.gap(...words)),
      read: (...words) => patiently(() => output.read(...words)),
    },
  };
}

export const isUnavailable = (error: unknown): error is Refusal =>
  error instanceof Refusal && error.kind === "unavailable";

/** For commands that have nobody else to tell of the trouble. */
export const toldBy = (note: (line: string) => void): Patience => ({
  onTrouble: ({ message }) => note(`queuectl: ${message}; waiting until it answers`),
  onOver: () => note("queuectl: the database answers again"),
});
