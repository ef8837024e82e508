// What a user's word holds back, in SQLite. A job that is held back is neither ready nor waits for a moment, so that no claim meets it.

import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";

export const holdBack = ({ sql }: Connection, seq: number, now: number): JobRow =>
  sql(`
    update jobs set held = 1, parked = 0, ready = 0, next_run_at = null, updated_at = $now where seq = $seq returning *
  `).get({ seq, now });

/** Takes the user's word back; something else may hold it still. */
export const letGo = ({ sql }: Connection, seq: number, now: number): JobRow =>
  sql(`
    update jobs set
      held = 0, ready = run_at <= $now and unmet = 0,
      next_run_at = iif(unmet > 0, null, max(run_at, $now)), updated_at = $now
    where seq = $seq returning *
  `).get({ seq, now });
