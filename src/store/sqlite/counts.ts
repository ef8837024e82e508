// Counts in SQLite, one row for each queue and state.

import { type GatheredCounts, gatherCounts } from "../count-changes.ts";
import type { Connection } from "./connection.ts";

export interface CountChanges extends GatheredCounts {
  /** Writes what was gathered; inside the transaction that changed the jobs. */
  save(): void;
}

export function countChanges({ sql }: Connection): CountChanges {
  const gathered = gatherCounts();
  return {
    ...gathered,
    save() {
      for (const { queue, state, jobs, ms } of gathered.changes()) {
        sql(`
          insert into counts (queue, state, jobs, ms) values ($queue, $state, $jobs, $ms)
          on conflict (queue, state) do update set jobs = jobs + excluded.jobs, ms = ms + excluded.ms
        `).run({ queue, state, jobs, ms });
      }
    },
  };
}
