// Jobs that finished long ago, counted and removed from SQLite in small steps.

import type { Pruning } from "../jobs.ts";
import type { JobRow } from "../rows.ts";
import { removeAll } from "./change-steps.ts";
import type { Connection } from "./connection.ts";

export function pruning(connection: Connection): Pruning {
  const { sql, read, write } = connection;

  return {
    prune: (before, limit, states = ["completed", "cancelled"]) =>
      write(() => {
        const rows: JobRow[] = [];
        for (const state of states) {
          const finished = sql(`
            select * from jobs where ${isFinished} and state = $state and finished_at < $before and ${isFree}
            order by finished_at limit $limit
          `);
          rows.push(...finished.all({ state, before, limit: limit - rows.length }));
        }
        return removeAll(connection, rows);
      }),

    finishedBefore: (before, state) =>
      read(
        () =>
          sql(`
            select count(*) as jobs from jobs
            where ${isFinished} and state = $state and finished_at < $before and ${isFree}
          `).get({ state, before }).jobs,
      ),
  };
}

/** What the index of finished jobs is for, in its own words: SQLite does not see that any others imply them. */
const isFinished = "state in ('completed', 'dead', 'cancelled')";

/** No other job waits for it. */
const isFree = "not exists (select 1 from dependencies where parent = jobs.seq and waits = 1)";
