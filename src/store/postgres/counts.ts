// Counts in PostgreSQL: what changes is written beside the sums, so that no transaction waits for another one's (migrations, counting.sql).

import type { SQL } from "bun";
import type { JobState } from "../../domain/job.ts";
import { type GatheredCounts, gatherCounts } from "../count-changes.ts";
import type { Row } from "./rows.ts";

export interface CountChanges extends GatheredCounts {
  /** Writes what was gathered; inside the transaction that changed the jobs, as its last step. */
  save(tx: SQL): Promise<void>;
}

export function countChanges(): CountChanges {
  const gathered = gatherCounts();
  return {
    ...gathered,
    async save(tx) {
      const changes = gathered.changes();
      if (changes.length > 0) await tx`select queuectl.count_jobs(${changes}::jsonb)`;
    },
  };
}

export interface Group {
  readonly queue: string;
  readonly state: JobState;
  readonly jobs: number;
  readonly ms: number;
}

/** The queues and states, of those asked for, that have jobs. */
export async function groupsOf(
  sql: SQL,
  { queue = null, state = null }: { readonly queue?: string | null; readonly state?: string | null },
): Promise<Group[]> {
  const rows: Row[] = await sql`
    select queue, state, sum(jobs) as jobs, sum(ms) as ms from queuectl.all_counts
    where (${queue}::text is null or queue = ${queue}) and (${state}::text is null or state = ${state})
    group by queue, state having sum(jobs) > 0 order by queue
  `;
  return rows.map((row) => ({ ...row, jobs: Number(row.jobs), ms: Number(row.ms) }));
}
