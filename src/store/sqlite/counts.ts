// Counts in SQLite, one row for each queue and state.

import type { CountChange, GatheredCounts } from "../count-changes.ts";
import type { Connection } from "./connection.ts";

export interface CountChanges extends GatheredCounts {
  /** Writes what was gathered; inside the transaction that changed the jobs. */
  save(): void;
}

/** Loaded by who changes more than one. */
const gatherCounts = () =>
  (require("../count-changes.ts") as typeof import("../count-changes.ts")).gatherCounts();

export function saveCount({ sql }: Connection, { queue, state, jobs, ms }: CountChange): void {
  sql(`
    insert into counts (queue, state, jobs, ms) values ($queue, $state, $jobs, $ms)
    on conflict (queue, state) do update set jobs = jobs + excluded.jobs, ms = ms + excluded.ms
  `).run({ queue, state, jobs, ms });
}

export function countChanges(connection: Connection): CountChanges {
  const gathered = gatherCounts();
  return {
    ...gathered,
    save() {
      for (const change of gathered.changes()) saveCount(connection, change);
    },
  };
}
