// Whether a worker process that is entered in the store still lives, as far as that can be told from here.

import type { WorkerProcess } from "../domain/worker.ts";
import { isOfThisMachine, type Liveness, livenessOf } from "../runner/process-identity.ts";
import type { Store } from "../store/store.ts";

/**
 * On SQLite the process itself is looked at. Where machines share a store, several may go by one host name: only a process of this
 * very start of this machine is looked at, and any other is dead when its lease has ended.
 */
export function stateOf(process: WorkerProcess, { leaseMs, now }: StoreMoment): Liveness {
  if (leaseMs === null || isOfThisMachine(process.identity)) return livenessOf(process.identity);
  return now - process.heartbeat_at < leaseMs ? "elsewhere" : "dead";
}

export interface StoreMoment {
  readonly leaseMs: Store["leaseMs"];
  /** By the store's clock. */
  readonly now: number;
}

/** All worker processes with their state. */
export async function processStates(
  store: Store,
): Promise<readonly (WorkerProcess & { readonly liveness: Liveness })[]> {
  const moment = { leaseMs: store.leaseMs, now: await store.now() };
  return (await store.workers.processes()).map((process) => ({
    ...process,
    liveness: stateOf(process, moment),
  }));
}

/** The ids of workers whose process is dead. */
export async function deadWorkers(store: Store): Promise<ReadonlySet<string>> {
  const dead = (await processStates(store)).filter(({ liveness }) => liveness === "dead");
  return new Set(dead.flatMap(({ worker_ids }) => worker_ids));
}
