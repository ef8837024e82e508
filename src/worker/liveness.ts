// Whether a worker process that is entered in the store still lives, as far as that can be told from here.

import type { Worker, WorkerProcess } from "../domain/worker.ts";
import { isOfThisMachine, type Liveness, livenessOf, statOf } from "../runner/process-identity.ts";
import type { Store } from "../store/store.ts";

/**
 * On SQLite the process itself is looked at. Where machines share a store, several may go by one host name: only a process of this
 * very start of this machine is looked at, and any other is dead when its lease has ended. `now` is by the store's clock.
 */
function stateOf({ identity, lease_until }: WorkerProcess, now: number): Liveness {
  if (lease_until === null || isOfThisMachine(identity)) return livenessOf(identity);
  return now < lease_until ? "elsewhere" : "dead";
}

export interface ProcessState extends WorkerProcess {
  readonly liveness: Liveness;
}

/** All worker processes with their state. */
export async function processStates(store: Store): Promise<readonly ProcessState[]> {
  const now = await store.now();
  return (await store.workers.processes()).map((process) => ({
    ...process,
    liveness: stateOf(process, now),
  }));
}

export const isDead = ({ liveness }: ProcessState) => liveness === "dead";

export const isLiving = ({ liveness }: ProcessState) => liveness !== "dead";

/** Whether it was stopped by a signal (SIGSTOP, Ctrl-Z), and does nothing until it is continued. */
export const isSuspended = ({ liveness, identity }: ProcessState) =>
  liveness === "alive" && statOf(identity.pid)?.state === "T";

export const workersOf = (processes: readonly ProcessState[]): string[] =>
  processes.flatMap(({ worker_ids }) => worker_ids);

/** All workers; those whose process is dead say so. */
export async function workersAsSeen(store: Store): Promise<readonly Worker[]> {
  const dead = new Set(workersOf((await processStates(store)).filter(isDead)));
  const workers = await store.workers.list();
  return workers.map((worker) => (dead.has(worker.id) ? { ...worker, state: "dead" } : worker));
}
