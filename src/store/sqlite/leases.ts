// The middle of a job's life in SQLite: claimed, running, settled. All of a worker process's turn is one transaction, so
// that one sync to disk pays for every job that ends and starts at that moment.

import type { StopOrder } from "../../domain/worker.ts";
import { type Leases, type StartedAttempt, type Turn, type TurnResult, unreadableIn } from "../leases.ts";
import type { JobRow } from "../rows.ts";
import { refuseSnooze } from "../snoozes.ts";
import { claim, nothingToClaim } from "./claiming.ts";
import type { Connection } from "./connection.ts";
import { enqueueOnce } from "./enqueue.ts";
import { settleAll } from "./settling.ts";
import { taking } from "./taking.ts";

export function leases(connection: Connection): Leases {
  const { sql, read, write } = connection;

  return {
    ...taking(connection),

    enqueueFor: (worker_id, newJob) =>
      write(() => {
        const { job } = enqueueOnce(connection, newJob);
        const wanted = { worker_ids: [worker_id], queues: null, only: job.seq };
        const { claimed } = claim(connection, wanted, connection.clock());
        return { job, claimed: claimed[0] ?? null };
      }),

    async exchange(turn) {
      if (turn.started.length === 0 && turn.ended.length === 0) {
        if (!turn.wanted) return { stale: [], settled: [], claimed: [], next_due_at: null };
        const idle = await read(() => nothingToClaim(connection, turn.wanted!));
        if (idle) return idle;
      }
      return write(() => takeTurn(connection, turn));
    },

    orders: (process_id) =>
      read(() => ({
        stop: new Map<string, StopOrder>(
          sql("select id, stop_order from workers where process_id = $process_id and stop_order is not null")
            .all({ process_id })
            .map((row) => [row.id, row.stop_order]),
        ),
        cancel: sql(`
          select jobs.seq as job_seq, jobs.lease_seq from workers join jobs on jobs.worker_id = workers.id
          where workers.process_id = $process_id and jobs.cancel_requested_at is not null
        `).all({ process_id }),
      })),

    snooze: (job_seq, attempt, ms) => write(() => snooze(connection, job_seq, attempt, ms)),

    mendRetries: (setBackMs = 0) =>
      write(() => {
        const given = { now: connection.clock(), setBackMs: Math.round(setBackMs) };
        // `finished_at` moves along, so that mending again, as every worker process does, finds nothing to do.
        sql(`
          update jobs set
            next_run_at = min(next_run_at - $setBackMs, $now + next_run_at - finished_at),
            finished_at = min(finished_at - $setBackMs, $now)
          where queue in (select queue from counts where state = 'failed' and jobs > 0)
            and state = 'failed' and finished_at > $now
        `).run(given);
        // All that wait for a moment are looked through for those that were put off, which only a step of the clock is worth.
        if (setBackMs > 0)
          sql(`
            update jobs set
              next_run_at = min(next_run_at - $setBackMs, $now + next_run_at - updated_at), updated_at = $now
            where queue in (select queue from counts where state = 'pending' and jobs > 0)
              and ready = 0 and next_run_at > max($now, run_at) and state = 'pending' and attempt_number > 0 and updated_at > $now
          `).run(given);
      }),
  };
}

function takeTurn(connection: Connection, turn: Turn): TurnResult {
  const now = connection.clock();
  for (const attempt of turn.started) writeStarted(connection, attempt);
  const told = settleAll(connection, turn.ended, turn.settings, now);
  if (!turn.wanted) return { ...told, claimed: [], next_due_at: null };
  const { unreadable, ...given } = claim(connection, turn.wanted, now);
  if (unreadable.length === 0) return { ...told, ...given };
  const { settled } = settleAll(connection, unreadable, turn.settings, now);
  return { ...told, ...given, ...unreadableIn(unreadable, settled) };
}

function writeStarted({ sql }: Connection, { lease, pid, pid_start }: StartedAttempt): void {
  sql(`
    update attempts set pid = $pid, pid_start = $pid_start
    where job_seq = $job_seq and number = (
      select attempt_number from jobs where seq = $job_seq and lease_seq = $lease_seq and state = 'processing'
    )
  `).run({ ...lease, pid, pid_start });
}

function snooze({ sql }: Connection, job_seq: number, attempt: number, ms: number): void {
  const row: JobRow | null = sql("select * from jobs where seq = $job_seq").get({ job_seq });
  const { times } = sql(`
    select count(*) as times from attempts where job_seq = $job_seq and result = 'snoozed' and number > coalesce(
      (select max(number) from attempts where job_seq = $job_seq and result <> 'snoozed'), 0
    )
  `).get({ job_seq });
  refuseSnooze(row, attempt, times);
  sql("update jobs set snooze = $ms where seq = $job_seq").run({ job_seq, ms });
}
