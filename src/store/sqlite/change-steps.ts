// The steps that changes of jobs are made of in SQLite: cancelled, made pending, removed.

import type { RemovedJob } from "../jobs.ts";
import { type JobRow, legibleTags } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { forgetRemoved, waitNoMore } from "./dependencies.ts";

/** A waiting job is cancelled with this; a running one is marked for its worker. */
export function markCancelled(connection: Connection, row: JobRow, now: number): JobRow {
  const { sql } = connection;
  const { seq, state } = row;
  if (state === "processing") {
    return sql(`
      update jobs set cancel_requested_at = coalesce(cancel_requested_at, $now), updated_at = $now
      where seq = $seq returning *
    `).get({ seq, now });
  }
  waitNoMore(connection, row);
  return sql(`
    update jobs set
      state = 'cancelled', ready = 0, held = 0, parked = 0, unmet = 0, next_run_at = null, finished_at = $now, updated_at = $now
    where seq = $seq returning *
  `).get({ seq, now });
}

export function makePending(connection: Connection, row: JobRow, now: number): JobRow {
  waitNoMore(connection, row);
  return connection
    .sql(`
    update jobs set
      state = 'pending', ready = 1, held = 0, parked = 0, unmet = 0, attempts = 0, lost_in_row = 0, next_run_at = $now, updated_at = $now,
      finished_at = null, cancel_requested_at = null
    where seq = $seq returning *
  `)
    .get({ seq: row.seq, now });
}

function remove({ sql }: Connection, row: JobRow): RemovedJob {
  const { seq } = row;
  const tags = legibleTags(row);
  // Which they are says only a look at all there are.
  if (tags === undefined) sql("delete from job_tags where seq = $seq").run({ seq });
  for (const tag of new Set(tags))
    sql("delete from job_tags where tag = $tag and seq = $seq").run({ tag, seq });
  sql("delete from attempts where job_seq = $seq").run({ seq });
  sql("delete from schedule_runs where job_seq = $seq").run({ seq });
  sql("delete from jobs where seq = $seq").run({ seq });
  return { seq, attempts: row.attempt_number };
}

/** Removes jobs, counts included, and tells those that come after them. */
export function removeAll(connection: Connection, rows: readonly JobRow[]): RemovedJob[] {
  const counts = countChanges(connection);
  for (const row of rows) counts.add(row, -1);
  const removed = rows.map((row) => remove(connection, row));
  if (rows.length > 0) forgetRemoved(connection, rows, { counts, now: connection.clock() });
  counts.save();
  forgetEmptyCounts(connection, rows);
  return removed;
}

/** Claims look at each row, so queues that come and go must not leave theirs. */
function forgetEmptyCounts({ sql }: Connection, removed: readonly JobRow[]): void {
  for (const queue of new Set(removed.map((row) => row.queue)))
    sql("delete from counts where queue = $queue and jobs = 0 and ms = 0").run({ queue });
}
