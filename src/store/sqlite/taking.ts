// Jobs change hands in SQLite: from a process that is dead, or that was never entered, to one that goes on.

import type { ClaimedJob, TakenJob } from "../../domain/lease.ts";
import { claimedFrom, type Leases } from "../leases.ts";
import { type JobRow, legible, newWorkerId } from "../rows.ts";
import type { Connection } from "./connection.ts";

export function taking(connection: Connection): Pick<Leases, "takeOver" | "takeForgotten" | "takeExpired"> {
  const { sql, read, write } = connection;

  return {
    takeOver: (from, to, only) => write(() => takeOver(connection, from, to, only ?? null)),

    async takeForgotten(to, only) {
      // As a rule there are none, and then this must not ask for the lock.
      const wanted = { only: only ?? null };
      if (!(await read(() => sql(`select 1 from jobs where ${forgotten} limit 1`).get(wanted)))) return [];
      return write(() => takeForgotten(connection, to, wanted));
    },

    takeExpired: async () => [],
  };
}

function takeOver({ sql }: Connection, from: number, to: number, only: number | null): TakenJob[] {
  const taken = sql(`
    update jobs set lease_seq = lease_seq + 1
    where ($only is null or seq = $only) and worker_id in (select id from workers where process_id = $from)
    returning *
  `).all({ from, only });
  const jobs = taken.map((row: JobRow): TakenJob => {
    const { journal } = sql(`
      update workers set process_id = $to, stop_order = nullif(stop_order, 'leave') where id = $id returning journal
    `).get({
      to,
      id: row.worker_id,
    });
    const { pid, pid_start } = sql(`
      select pid, pid_start from attempts where job_seq = $seq and number = $number
    `).get({ seq: row.seq, number: row.attempt_number });
    return { ...claimedFrom(legible(row)), pid, pid_start, journal };
  });
  if (only === null) sql("delete from workers where process_id = $from").run({ from });
  sql(`
    delete from worker_processes where process_id = $from and process_id not in (select process_id from workers)
  `).run({ from });
  return jobs;
}

const forgotten = `
  state = 'processing' and worker_id is not null and worker_id not in (select id from workers)
  and ($only is null or seq = $only)
`;

function takeForgotten({ sql }: Connection, to: number, wanted: { only: number | null }): ClaimedJob[] {
  const found: Pick<JobRow, "seq">[] = sql(`select seq from jobs where ${forgotten}`).all(wanted);
  return found.map(({ seq }) => {
    const worker_id = newWorkerId();
    sql("insert into workers (id, process_id, journal) values ($worker_id, $to, '')").run({ worker_id, to });
    const row: JobRow = sql(
      "update jobs set lease_seq = lease_seq + 1, worker_id = $worker_id where seq = $seq returning *",
    ).get({ worker_id, seq });
    return claimedFrom(legible(row));
  });
}
