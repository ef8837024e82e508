// Jobs change hands in PostgreSQL: from a process that is dead, that was never entered, or whose lease has ended, to one that goes on.

import type { SQL } from "bun";
import type { ClaimedJob, TakenJob } from "../../domain/lease.ts";
import type { Leases } from "../leases.ts";
import { type JobRow, legible, newWorkerId } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { jobRow, type Row } from "./rows.ts";

export function taking(
  { ask, write, at }: Connection,
  give: (row: JobRow & { readonly host: string }) => ClaimedJob,
): Pick<Leases, "takeOver" | "takeForgotten" | "takeExpired"> {
  /** Gives jobs to a process that is entered, and stays so until this is done: otherwise they would belong to nobody. */
  const take = (to: number, work: (tx: SQL) => Promise<Row[]>): Promise<Row[]> =>
    write(async (tx) => {
      const [entered] = await tx`
        select host from queuectl.worker_processes
        where process_id = ${to} and lease_until > coalesce(${at()}::bigint, queuectl.now_ms()) for key share
      `;
      return entered ? (await work(tx)).map((row) => ({ ...row, host: entered.host })) : [];
    });

  const giveOn = (row: Row) => give({ ...legible(jobRow(row)), host: row.host });

  return {
    async takeOver(from, to, only) {
      const taken = await take(to, async (tx) => {
        await tx`select queuectl.lock_claims(${from})`;
        const rows: Row[] = await tx`
          update queuectl.jobs set lease_seq = jobs.lease_seq + 1
          from queuectl.workers, queuectl.jobs as taken
          left join queuectl.attempts on job_seq = taken.seq and number = taken.attempt_number
          where workers.process_id = ${from} and taken.worker_id = workers.id and jobs.seq = taken.seq
            -- Asked of the row itself: only that is looked at once more when a turn was waited for that has settled the job.
            and jobs.worker_id = workers.id
            and (${only ?? null}::bigint is null or jobs.seq = ${only ?? null})
          returning jobs.*, attempts.pid, attempts.pid_start, workers.journal
        `;
        const ids = rows.map((row) => row.worker_id);
        await tx`
          update queuectl.workers set process_id = ${to}, stop_order = nullif(stop_order, 'leave')
          where id = any(${tx.array(ids, "TEXT")})
        `;
        if (only === undefined) await tx`delete from queuectl.workers where process_id = ${from}`;
        await tx`
          delete from queuectl.worker_processes
          where process_id = ${from} and process_id not in (select process_id from queuectl.workers)
        `;
        return rows;
      });
      return taken.map(
        ({ pid, pid_start, journal, ...row }): TakenJob => ({
          ...giveOn(row),
          pid,
          pid_start,
          journal,
        }),
      );
    },

    async takeForgotten(to, only) {
      const unknown = await ask(
        (sql) => sql`
          select 1 from queuectl.jobs where worker_id is not null and worker_id not in (select id from queuectl.workers) limit 1
        `,
      );
      if (unknown.length === 0) return [];
      const taken = await take(to, async (tx) => {
        // Whoever comes second sees the workers that the first one has entered.
        await tx`select queuectl.lock_claims(0)`;
        const rows: Row[] = await tx`
          select seq from queuectl.jobs
          where worker_id is not null and worker_id not in (select id from queuectl.workers)
            and (${only ?? null}::bigint is null or seq = ${only ?? null})
          order by seq for update
        `;
        return handOver(tx, rows, to);
      });
      return taken.map(giveOn);
    },

    async takeExpired(to, only) {
      const dead: Row[] = await ask(
        (sql) => sql`
          select process_id from queuectl.worker_processes
          where lease_until <= coalesce(${at()}::bigint, queuectl.now_ms())
            and (${only ?? null}::bigint is null or process_id in (
              select workers.process_id from queuectl.jobs join queuectl.workers on workers.id = jobs.worker_id
              where jobs.seq = ${only ?? null}
            ))
        `,
      );
      const taken: ClaimedJob[] = [];
      for (const { process_id } of dead) {
        try {
          taken.push(...(await takeExpiredOf(process_id, to, only)));
        } catch (error) {
          // What was taken has to be handed on, or nobody would look after it.
          if (taken.length === 0) throw error;
          break;
        }
      }
      return taken;
    },
  };

  async function takeExpiredOf(process_id: number, to: number, only = null as number | null) {
    const taken = await take(to, async (tx) => {
      await tx`select queuectl.lock_claims(${process_id})`;
      const [ended] = await tx`
        select from queuectl.worker_processes
        where process_id = ${process_id} and lease_until <= coalesce(${at()}::bigint, queuectl.now_ms())
      `;
      if (!ended) return [];
      const rows: Row[] = await tx`
        select seq, worker_id from queuectl.jobs
        where worker_id in (select id from queuectl.workers where process_id = ${process_id})
          and (${only}::bigint is null or seq = ${only})
        order by seq for update
      `;
      const holders = rows.map((row) => row.worker_id);
      await tx`
        delete from queuectl.workers
        where process_id = ${process_id} and (${only}::bigint is null or id = any(${tx.array(holders, "TEXT")}))
      `;
      await tx`
        delete from queuectl.worker_processes
        where process_id = ${process_id} and process_id not in (select process_id from queuectl.workers)
      `;
      return handOver(tx, rows, to);
    });
    return taken.map(giveOn);
  }
}

/**
 * Gives jobs to new workers of a process. They do not keep the names of those that held them: a process that counted as gone may be
 * there still, and would take them for its own.
 */
async function handOver(tx: SQL, rows: readonly Row[], process_id: number): Promise<Row[]> {
  const ids = rows.map(newWorkerId);
  await tx`
    insert into queuectl.workers (id, process_id, journal)
    select id, ${process_id}, '' from unnest(${tx.array(ids, "TEXT")}) as id
  `;
  return tx`
    update queuectl.jobs set lease_seq = lease_seq + 1, worker_id = given.id
    from unnest(${tx.array(
      rows.map(({ seq }) => seq),
      "BIGINT",
    )}, ${tx.array(ids, "TEXT")}) as given(seq, id)
    where jobs.seq = given.seq returning jobs.*
  `;
}
