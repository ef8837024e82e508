// Changes of very many jobs that go on after their request was answered: how far they are, and how they are stopped. They live as
// long as this server; what a run has changed stays changed.

import type { JobFilter } from "../store/jobs.ts";
import type { JobChange } from "../store/matching.ts";
import { type BulkResult, changeAll } from "./bulk.ts";
import { faultOf } from "./errors.ts";
import { newSecret } from "./tokens.ts";
import type { Web } from "./web.ts";

export interface BulkWish {
  readonly change: JobChange;
  readonly filter: JobFilter;
  /** The newest job that is meant. */
  readonly newest: number;
  /** What is done, such as `Delete all jobs that are dead`. */
  readonly title: string;
  /** Where its reader came from. */
  readonly back: string;
}

export interface BulkRun extends BulkWish, BulkResult {
  readonly id: string;
  readonly state: "running" | "done" | "stopped" | "failed";
  /** How much of the queue was walked, 0 to 1. */
  readonly share: number;
  /** Why it failed. */
  readonly fault: string | undefined;
}

interface StartedRun {
  /** As it is now. */
  readonly run: () => BulkRun;
  /** Fulfilled when it is no longer running; rejected with what made it fail. */
  readonly ended: Promise<BulkRun>;
}

export interface BulkRuns {
  start(web: Web, wish: BulkWish): StartedRun;
  find(id: string): BulkRun | undefined;
  stop(id: string): void;
}

/** Ended runs that can still be looked at. */
const mostKept = 50;

export function makeBulkRuns(): BulkRuns {
  const runs = new Map<string, { run: BulkRun; readonly stop: AbortController }>();

  return {
    start(web, wish) {
      const id = newSecret().slice(0, 12);
      const stop = new AbortController();
      const kept = {
        stop,
        run: { ...wish, id, state: "running", changed: 0, left: 0, share: 0, fault: undefined } as BulkRun,
      };
      runs.set(id, kept);
      for (const [oldest, { run }] of runs) {
        if (runs.size <= mostKept) break;
        if (run.state !== "running") runs.delete(oldest);
      }
      const update = (news: Partial<BulkRun>) => {
        kept.run = { ...kept.run, ...news };
      };
      const work = async (): Promise<BulkRun> => {
        try {
          const signal = AbortSignal.any([stop.signal, web.stopping]);
          await changeAll(web, wish, signal, update);
          update({ state: signal.aborted ? "stopped" : "done", share: signal.aborted ? kept.run.share : 1 });
          return kept.run;
        } catch (error) {
          update({ state: "failed", fault: faultOf(error).detail });
          throw error;
        }
      };
      return { run: () => kept.run, ended: work() };
    },
    find: (id) => runs.get(id)?.run,
    stop: (id) => runs.get(id)?.stop.abort(),
  };
}
