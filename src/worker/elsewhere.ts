// One SQLite file belongs to one machine: processes of another host or container cannot be seen from here, so nobody could tell
// whether their jobs still run.

import { Refusal } from "../domain/errors.ts";
import { livenessOf } from "../runner/process-identity.ts";
import type { Store } from "../store/store.ts";

/** A worker says every 10 seconds that it is there; one that has not for so long does not stand in the way of starting here. */
const silentMs = 60_000;

/** Refuses to work on a queue on which a worker of another host or container is at work. */
export async function refuseElsewhere(store: Store): Promise<void> {
  const now = await store.now();
  const processes = await store.workers.processes();
  const other = processes.find(
    ({ identity, heartbeat_at }) => livenessOf(identity) === "elsewhere" && now - heartbeat_at < silentMs,
  );
  if (!other) return;
  throw new Refusal(
    "wrong_state",
    `${other.worker_ids[0]} on ${other.identity.host} works on this queue, and one SQLite file serves one host or container only`,
    "stop it first, or use PostgreSQL for several machines; if it is gone for good: queuectl worker forget",
  );
}
