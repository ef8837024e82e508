// What a worker process does between two turns: it sleeps until something may be there to do.

import { ignoreRefusal } from "../domain/errors.ts";
import type { Store, Watch } from "../store/store.ts";
import { msUntil } from "./clock.ts";
import type { WorkerEvent } from "./events.ts";
import { type Hindrance, hindrancePauseMs } from "./hindrance.ts";
import { pausedQueues } from "./paused.ts";
import type { Runs } from "./runs.ts";
import type { Wakeup } from "./wakeup.ts";

export interface RestOptions {
  readonly store: Store;
  /** Null for every queue. */
  readonly queues: readonly string[] | null;
  readonly wakeup: Wakeup;
  readonly runs: Runs;
  readonly hindrance: Hindrance;
  /** How long at the longest, in case that hints get lost. */
  readonly pollMs: () => number;
  readonly isStopping: () => boolean;
  readonly tell: (event: WorkerEvent) => void;
}

/** Fulfilled when a turn is worth it; `nextDueAt`: when a job that waits may run. */
export type Rest = (nextDueAt: number | null, watch: Watch) => Promise<void>;

export function makeRest({
  store,
  queues,
  wakeup,
  runs,
  hindrance,
  pollMs,
  isStopping,
  tell,
}: RestOptions): Rest {
  let announced: number | null | undefined;

  async function announce(until: number | null): Promise<void> {
    if (hindrance.known() || runs.running().length > 0 || isStopping() || until === announced) return;
    announced = until;
    tell({ kind: "waiting", until, paused: await pausedQueues(store, queues) });
  }

  /** Trouble is met, and told, by the next turn. */
  async function mayHaveNews(watch: Watch): Promise<boolean> {
    try {
      return await watch.hasNews();
    } catch (error) {
      ignoreRefusal(error);
      return true;
    }
  }

  return async (nextDueAt, watch) => {
    await announce(nextDueAt);
    for (;;) {
      const longest = pollMs();
      const dueMs = nextDueAt === null ? Infinity : await msUntil(store, nextDueAt, longest);
      const hinderedMs = hindrance.known() ? hindrancePauseMs : Infinity;
      const ownMs = Math.min(dueMs, runs.tellIn() ?? Infinity, hinderedMs);
      const isWoken = await wakeup.wait(Math.min(longest, ownMs));
      if (isWoken || ownMs <= longest || (await mayHaveNews(watch))) return;
    }
  };
}
