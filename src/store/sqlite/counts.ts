// Counts in SQLite, one row for each queue and state, as whoever changes jobs gathers them.

import { type GatheredCounts, gatherCounts } from "../count-changes.ts";
import type { Connection } from "./connection.ts";
import { saveCount } from "./one-count.ts";

export interface CountChanges extends GatheredCounts {
  /** Writes what was gathered; inside the transaction that changed the jobs. */
  save(): void;
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
