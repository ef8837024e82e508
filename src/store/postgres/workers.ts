// Worker processes and their workers in PostgreSQL.

import type { SQL } from "bun";
import type { WorkerProcess } from "../../domain/worker.ts";
import type { Workers } from "../store.ts";
import type { Connection } from "./connection.ts";
import type { Notifier } from "./notify.ts";
import type { Row } from "./rows.ts";

export function workers(connection: Connection, notifier: Notifier, usualLeaseMs: number): Workers {
  const { ask, write, at } = connection;
  return {
    async register({ identity, home, version, queues, worker_ids, journal, leaseMs = usualLeaseMs }) {
      const process_id = await write(async (tx) => {
        const [row] = await tx`
          insert into queuectl.worker_processes (
            host, boot_id, pid_namespace, pid, pid_start, home, version, queues, started_at, heartbeat_at, lease_until
          )
          select ${identity.host}, ${identity.boot_id}, ${identity.pid_namespace}, ${identity.pid}, ${identity.pid_start},
            ${home}, ${version}, ${queues && JSON.stringify(queues)}, now, now, now + ${leaseMs}::bigint
          from coalesce(${at()}::bigint, queuectl.now_ms()) as now
          returning process_id
        `;
        await tx`
          insert into queuectl.workers (id, process_id, journal)
          select id, ${row.process_id}, ${journal} from unnest(${tx.array([...worker_ids], "TEXT")}) as id
        `;
        return Number(row.process_id);
      });
      notifier.say("news");
      return process_id;
    },

    heartbeat: (process_id, leaseMs = usualLeaseMs) =>
      ask(async (sql) => {
        // Nothing else may be asked for as long as all workers are busy.
        await connection.check(sql);
        // A lease that ended may have been given away in part already, and is not renewed.
        const renewed = await sql`
          update queuectl.worker_processes set heartbeat_at = now, lease_until = now + ${leaseMs}::bigint
          from coalesce(${at()}::bigint, queuectl.now_ms()) as now
          where process_id = ${process_id} and lease_until > now
        `;
        return renewed.count === 1;
      }, "vital"),

    async leave(worker_ids) {
      if (worker_ids.length === 0) return;
      await write(async (tx) => {
        const ids = tx.array([...worker_ids], "TEXT");
        // Before all else, so that what a take-over is just giving to their process is seen, and keeps it entered.
        const held: Row[] = await tx`
          select process_id from queuectl.worker_processes
          where process_id in (select process_id from queuectl.workers where id = any(${ids})) order by process_id for update
        `;
        const processes = held.map((row) => row.process_id);
        await tx`delete from queuectl.workers where id = any(${ids})`;
        await tx`
          delete from queuectl.worker_processes
          where process_id = any(${tx.array(processes, "BIGINT")}) and process_id not in (select process_id from queuectl.workers)
        `;
      });
      notifier.say("news");
    },

    async forget(process_id) {
      await write(async (tx) => {
        await tx`select queuectl.lock_claims(${process_id})`;
        await tx`delete from queuectl.workers where process_id = ${process_id}`;
        await tx`delete from queuectl.worker_processes where process_id = ${process_id}`;
      });
      notifier.say("news");
    },

    list: () =>
      ask(async (sql) => {
        const rows: Row[] = await sql`
          select workers.id, pid, host, queues, version, process.started_at, heartbeat_at, jobs.id as job_id,
            case when stop_order is not null then 'stopping' when jobs.id is not null then 'busy' else 'idle' end as state
          from queuectl.worker_processes as process join queuectl.workers using (process_id)
          left join queuectl.jobs on jobs.worker_id = workers.id
          order by process_id, workers.id
        `;
        return rows.map((row) => ({
          ...row,
          queues: row.queues && JSON.parse(row.queues),
          started_at: Number(row.started_at),
          heartbeat_at: Number(row.heartbeat_at),
        }));
      }),

    processes: () => ask((sql) => processesOf(sql)),

    journals: () =>
      ask(async (sql) => {
        const rows: Row[] = await sql`select distinct journal from queuectl.workers`;
        return rows.map(({ journal }) => journal);
      }),

    async stop(worker_ids, order) {
      await ask(
        (sql) => sql`
          update queuectl.workers set stop_order = ${order}
          where id = any(${sql.array([...worker_ids], "TEXT")}) and (${order} <> 'finish' or stop_order is null)
        `,
      );
      notifier.say("work");
    },
  };
}

/** The processes that have workers, the oldest first: all, or those whose lease has ended or has not. */
export async function processesOf(sql: SQL, { leased }: { leased?: boolean } = {}): Promise<WorkerProcess[]> {
  const rows: Row[] = await sql`
    select process.*, worker_ids from queuectl.worker_processes as process
    join (
      select process_id, json_agg(id order by id) as worker_ids from queuectl.workers group by process_id
    ) as own using (process_id)
    where ${leased ?? null}::boolean is null or (lease_until > queuectl.now_ms()) = ${leased ?? null}
    order by process_id
  `;
  return rows.map((row) => ({
    process_id: Number(row.process_id),
    identity: {
      host: row.host,
      boot_id: row.boot_id,
      pid_namespace: row.pid_namespace,
      pid: row.pid,
      pid_start: row.pid_start,
    },
    home: row.home,
    worker_ids: row.worker_ids,
    heartbeat_at: Number(row.heartbeat_at),
    lease_until: Number(row.lease_until),
  }));
}
