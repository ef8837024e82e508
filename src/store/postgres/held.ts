// What a user's word holds back, in PostgreSQL. A job that is held back is neither ready nor waits for a moment, so that no claim meets it.

import type { SQL } from "bun";
import type { JobRow } from "../rows.ts";
import { moved, seqsOf } from "./change-steps.ts";
import type { Connection } from "./connection.ts";

export async function holdBack(connection: Connection, tx: SQL, rows: readonly JobRow[]) {
  const updated = await tx`
    update queuectl.jobs set held = true, parked = false, ready = false, next_run_at = null, updated_at = now
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where seq = any(${tx.array(seqsOf(rows), "BIGINT")}) returning jobs.*
  `;
  return moved(tx, rows, updated);
}

/** Takes the user's word back; something else may hold them still. */
export async function letGo(connection: Connection, tx: SQL, rows: readonly JobRow[]) {
  const updated = await tx`
    update queuectl.jobs set
      held = false, ready = run_at <= now and unmet = 0,
      next_run_at = case when unmet = 0 then greatest(run_at, now) end, updated_at = now
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where seq = any(${tx.array(seqsOf(rows), "BIGINT")}) returning jobs.*
  `;
  return moved(tx, rows, updated);
}
