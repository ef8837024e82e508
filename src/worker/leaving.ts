// How a worker process goes when it is told to, by a signal or through the store: what it runs is finished, ended or left, as the order says.

import type { Refusal } from "../domain/errors.ts";
import type { StopOrder } from "../domain/worker.ts";
import type { Store } from "../store/store.ts";
import type { Crew } from "./crew.ts";
import type { WorkerEvent } from "./events.ts";
import type { Runs } from "./runs.ts";
import type { Trouble } from "./trouble.ts";

export interface LeavingOptions {
  readonly store: Store;
  readonly crew: Crew;
  readonly runs: Runs;
  readonly trouble: Trouble;
  readonly tell: (event: WorkerEvent) => void;
}

export interface Leaving {
  /** What the process was told; undefined as long as it stays. */
  order(): StopOrder | undefined;
  /** Ends or leaves what runs here, where the order says so. After `leave` nothing changes any more. */
  obey(order: StopOrder): void;
  /** Shows others an order that came by a signal, and takes those workers out that were asked to go and have nothing at hand. */
  letGo(): Promise<void>;
  /** The store would not hear how runs ended: told while the process is going, each time that there are more. */
  refused(): void;
  /** The store has heard all that there was. */
  heard(): void;
  /** The trouble for which nobody shall wait any longer: what ended is for the next worker to settle. */
  inVain(): Refusal | undefined;
}

export function makeLeaving({ store, crew, runs, trouble, tell }: LeavingOptions): Leaving {
  let order: StopOrder | undefined;
  /** The order that others know of. */
  let shown: StopOrder | undefined;
  /** How many runs it was told of that they ended and cannot be stored. */
  let unsettled = 0;

  function tellUnsettled(order: StopOrder): void {
    const jobs = runs.ended().map(({ run }) => run.claimed.job);
    unsettled = jobs.length;
    if (jobs.length > 0) tell({ kind: "unsettled", order, jobs });
  }

  /** Nobody shall count on workers that only finish, or end, what they run. */
  async function show(): Promise<void> {
    if (order === undefined || order === "leave" || order === shown) return;
    if (runs.running().length > 0) await store.workers.stop(crew.present(), order);
    shown = order;
  }

  return {
    order: () => order,

    obey(given) {
      // What was left running is nobody's here any more.
      if (order === "leave") return;
      const jobs = runs.jobs();
      if (order !== given && jobs.length > 0) tell({ kind: "stopping", order: given, jobs });
      if (order !== given && trouble.current()) tellUnsettled(given);
      order = given;
      if (given === "release") runs.end("released");
      if (given === "leave") runs.abandon();
    },

    async letGo() {
      await show();
      // The last ones go when the process does.
      const gone = crew.ready(runs.busyWorkers());
      if (gone.length === 0) return;
      await store.workers.leave(gone);
      for (const worker_id of gone) {
        crew.remove(worker_id);
        tell({ kind: "stopped", worker_id });
      }
    },

    refused() {
      if (order && runs.ended().length > unsettled) tellUnsettled(order);
    },

    heard() {
      unsettled = 0;
    },

    inVain() {
      const refusal = trouble.current();
      if (!refusal || !order || runs.running().length > 0) return undefined;
      // The next worker finds in the journal how commands ended. That one was given back does not stand there: it would count as failed.
      const isGivenBack = runs.ended().some(({ settlement }) => settlement.ending.result === "released");
      return refusal.kind === "unusable" || (order !== "finish" && !isGivenBack) ? refusal : undefined;
    },
  };
}
