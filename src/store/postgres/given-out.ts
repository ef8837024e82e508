// Jobs that were given out to the workers of this process: what settling depends on, kept so that no turn has to read it again.

import type { SQL } from "bun";
import type { ClaimedJob, Lease, Settlement } from "../../domain/lease.ts";
import { claimedFrom } from "../leases.ts";
import { type JobRow, legible } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { jobRow, type Row } from "./rows.ts";

/** A job that was given out, and the host that it runs on. */
export type GivenRow = JobRow & { readonly host: string | null };

export function makeGivenOut({ ask }: Connection) {
  /** By their numbers. Nothing changes them while they run. */
  const held = new Map<number, GivenRow>();

  return {
    /** Refused (`unusable`) when the row cannot be read. */
    give(row: GivenRow): ClaimedJob {
      const claimed = claimedFrom(row);
      held.set(row.seq, row);
      return claimed;
    },

    forget(lease: Lease): void {
      if (ofLease(held.get(lease.job_seq), lease)) held.delete(lease.job_seq);
    },

    /** The row behind each settlement: from memory, or from the database where the job was claimed elsewhere; undefined for a stale one. */
    async rowsOf(ended: readonly Settlement[]): Promise<readonly (GivenRow | undefined)[]> {
      const rows = ended.map(({ lease }) => ofLease(held.get(lease.job_seq), lease));
      const missing = ended.filter((_, place) => !rows[place]).map(({ lease }) => lease.job_seq);
      if (missing.length === 0) return rows;
      const found: Row[] = await ask(
        (sql) => sql`${givenRows(sql)} where seq = any(${sql.array(missing, "BIGINT")})`,
      );
      const bySeq = new Map(found.map(givenRow).map((row) => [row.seq, legible(row)]));
      return ended.map(({ lease }, place) => rows[place] ?? ofLease(bySeq.get(lease.job_seq), lease));
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

const ofLease = (row: GivenRow | undefined, { lease_seq }: Lease) =>
  row?.lease_seq === lease_seq ? row : undefined;

const givenRow = (row: Row): GivenRow => ({ ...jobRow(row), host: row.host });

/** Jobs with the host that their worker is entered on, as far as it is. */
const givenRows = (sql: SQL) => sql`
  select jobs.*, (
    select host from queuectl.workers join queuectl.worker_processes using (process_id) where workers.id = jobs.worker_id
  ) as host
  from queuectl.jobs
`;
