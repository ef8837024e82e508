// Worker processes and their workers in SQLite.

import type { WorkerProcess } from "../../domain/worker.ts";
import type { Workers } from "../store.ts";
import type { Connection } from "./connection.ts";

export function workers({ sql, read, write, clock }: Connection): Workers {
  return {
    register: ({ identity, home, version, queues, worker_ids, journal }) =>
      write(() => {
        const { process_id } = sql(`
          insert into worker_processes (
            host, boot_id, pid_namespace, pid, pid_start, home, version, queues, started_at, heartbeat_at
          ) values ($host, $boot_id, $pid_namespace, $pid, $pid_start, $home, $version, $queues, $now, $now)
          returning process_id
        `).get({ ...identity, home, version, queues: queues && JSON.stringify(queues), now: clock() });
        for (const id of worker_ids) {
          sql(`
            insert into workers (id, process_id, journal) values ($id, $process_id, $journal)
          `).run({ id, process_id, journal });
        }
        return process_id;
      }),

    heartbeat: (process_id) =>
      write(() => {
        const { changes } = sql(
          "update worker_processes set heartbeat_at = $now where process_id = $process_id",
        ).run({ process_id, now: clock() });
        return changes === 1;
      }),

    leave: (worker_ids) =>
      write(() => {
        for (const id of worker_ids) {
          const left = sql("delete from workers where id = $id returning process_id").get({ id });
          if (!left) continue;
          sql(`
            delete from worker_processes
            where process_id = $process_id and process_id not in (select process_id from workers)
          `).run({ process_id: left.process_id });
        }
      }),

    forget: (process_id) =>
      write(() => {
        sql("delete from workers where process_id = $process_id").run({ process_id });
        sql("delete from worker_processes where process_id = $process_id").run({ process_id });
      }),

    list: () =>
      read(() =>
        sql(`
          select workers.id, pid, host, queues, version, worker_processes.started_at, heartbeat_at, jobs.id as job_id,
            case when stop_order is not null then 'stopping' when jobs.id is not null then 'busy' else 'idle' end as state
          from worker_processes join workers using (process_id) left join jobs on jobs.worker_id = workers.id
          order by process_id, workers.id
        `)
          .all()
          .map(({ queues, ...worker }) => ({ ...worker, queues: queues && JSON.parse(queues) })),
      ),

    processes: () =>
      read(() =>
        sql(`
          select worker_processes.*, json_group_array(workers.id) as worker_ids
          from worker_processes join workers using (process_id) group by process_id order by process_id
        `)
          .all()
          .map(
            (row): WorkerProcess => ({
              process_id: row.process_id,
              identity: {
                host: row.host,
                boot_id: row.boot_id,
                pid_namespace: row.pid_namespace,
                pid: row.pid,
                pid_start: row.pid_start,
              },
              home: row.home,
              worker_ids: JSON.parse(row.worker_ids),
              heartbeat_at: row.heartbeat_at,
              lease_until: null,
            }),
          ),
      ),

    journals: () =>
      read(() =>
        sql("select distinct journal from workers")
          .all()
          .map(({ journal }) => journal),
      ),

    stop: (worker_ids, order) =>
      write(() => {
        for (const id of worker_ids) {
          sql(`
            update workers set stop_order = case when $order = 'finish' and stop_order is not null then stop_order else $order end
            where id = $id
          `).run({ id, order });
        }
      }),
  };
}
