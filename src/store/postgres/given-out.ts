// Jobs that were given out to the workers of this process: what settling depends on, kept so that no turn has to read it again.

import type { SQL } from "bun";
import type { ClaimedJob, Lease, Settlement } from "../../domain/lease.ts";
import { claimedFrom } from "../leases.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { keyOf } from "./doubts.ts";
import { jobRow, type Row } from "./rows.ts";

/** A job that was given out, and the host that it runs on. */
export type GivenRow = JobRow & { readonly host: string | null };

export function makeGivenOut({ ask }: Connection) {
  /** By their numbers. Nothing changes them while they run. */
  const held = new Map<number, GivenRow>();

  return {
    give(row: GivenRow): ClaimedJob {
      held.set(row.seq, row);
      return claimedFrom(row);
    },

    forget({ job_seq, lease_seq }: Lease): void {
      if (held.get(job_seq)?.lease_seq === lease_seq) held.delete(job_seq);
    },

    /** The rows behind settlements: from memory, and from the database what was claimed elsewhere. */
    async rowsOf(ended: readonly Settlement[]): Promise<Map<string, GivenRow>> {
      const known = new Map<string, GivenRow>();
      const missing: number[] = [];
      for (const { lease } of ended) {
        const row = held.get(lease.job_seq);
        if (row?.lease_seq === lease.lease_seq) known.set(keyOf(lease), row);
        else missing.push(lease.job_seq);
      }
      if (missing.length === 0) return known;
      const rows: Row[] = await ask(
        (sql) => sql`${givenRows(sql)} where seq = any(${sql.array(missing, "BIGINT")})`,
      );
      for (const row of rows.map(givenRow)) {
        known.set(keyOf({ job_seq: row.seq, lease_seq: row.lease_seq }), row);
      }
      return known;
    },

    /** Jobs that these workers hold by a turn whose answer never came. What they run, or have just run, was given out here. */
    async unheard(worker_ids: readonly string[]): Promise<GivenRow[]> {
      if (worker_ids.length === 0) return [];
      const rows: Row[] = await ask(
        (sql) => sql`
          ${givenRows(sql)} where worker_id = any(${sql.array([...worker_ids], "TEXT")}) order by seq
        `,
        "soon",
      );
      return rows.map(givenRow).filter(({ seq, lease_seq }) => held.get(seq)?.lease_seq !== lease_seq);
    },
  };
}

const givenRow = (row: Row): GivenRow => ({ ...jobRow(row), host: row.host });

/** Jobs with the host that their worker is entered on, as far as it is. */
const givenRows = (sql: SQL) => sql`
  select jobs.*, (
    select host from queuectl.workers join queuectl.worker_processes using (process_id) where workers.id = jobs.worker_id
  ) as host
  from queuectl.jobs
`;
