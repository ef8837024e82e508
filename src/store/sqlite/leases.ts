// The middle of a job's life in SQLite: claimed, running, settled. All of a worker process's turn is one transaction, so
// that one sync to disk pays for every job that ends and starts at that moment.

import type { Ending } from "../../domain/attempt.ts";
import type { Job } from "../../domain/job.ts";
import type { ClaimedJob, Lease, Settlement, TakenJob } from "../../domain/lease.ts";
import { isFailedRun, type OutcomeSettings, outcomeOf } from "../../domain/outcome.ts";
import { endingAfter } from "../../domain/snooze.ts";
import type { StopOrder } from "../../domain/worker.ts";
import {
  claimedFrom,
  type Leases,
  type StartedAttempt,
  type Turn,
  type TurnResult,
  type Wanted,
} from "../leases.ts";
import { type JobRow, jobFrom, newWorkerId, runJobFrom } from "../rows.ts";
import { refuseSnooze } from "../snoozes.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { isEnded, tellChildren } from "./dependencies.ts";
import { anyDue, nextDueAt, nextInTurn, openQueues, promote, rowsOf, takeable } from "./in-turn.ts";
import { noteEnded } from "./outbox.ts";
import { recordStarts } from "./rates.ts";
import { type EndedRun, recordRuns } from "./run-history.ts";

export function leases(connection: Connection): Leases {
  const { sql, read, write } = connection;

  return {
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

    takeOver: (from, to, only) => write(() => takeOver(connection, from, to, only ?? null)),

    async takeForgotten(to, only) {
      // As a rule there are none, and then this must not ask for the lock.
      const wanted = { only: only ?? null };
      if (!(await read(() => sql(`select 1 from jobs where ${forgotten} limit 1`).get(wanted)))) return [];
      return write(() => takeForgotten(connection, to, wanted));
    },

    takeExpired: async () => [],

    mendRetries: (setBackMs = 0) =>
      write(() => {
        // `finished_at` moves along, so that mending again, as every worker process does, finds nothing to do.
        sql(`
          update jobs set
            next_run_at = min(next_run_at - $setBackMs, $now + next_run_at - finished_at),
            finished_at = min(finished_at - $setBackMs, $now)
          where queue in (select queue from counts where state = 'failed' and jobs > 0)
            and state = 'failed' and finished_at > $now
        `).run({ now: connection.clock(), setBackMs: Math.round(setBackMs) });
      }),
  };
}

/** A claim that cannot give anything takes no lock and writes nothing. */
function nothingToClaim(connection: Connection, wanted: Wanted): TurnResult | undefined {
  const now = connection.clock();
  const open = openQueues(connection, wanted);
  if (anyDue(open, now)) return undefined;
  const one = { ...wanted, worker_ids: wanted.worker_ids.slice(0, 1) };
  if (nextInTurn(connection, one, open, now).length > 0) return undefined;
  return { stale: [], settled: [], claimed: [], next_due_at: nextDueAt(connection, wanted, open, now) };
}

function takeTurn(connection: Connection, turn: Turn): TurnResult {
  const now = connection.clock();
  for (const attempt of turn.started) writeStarted(connection, attempt);
  const told = settleAll(connection, turn.ended, turn.settings, now);
  const given = turn.wanted ? claim(connection, turn.wanted, now) : { claimed: [], next_due_at: null };
  return { ...told, ...given };
}

function writeStarted({ sql }: Connection, { lease, pid, pid_start }: StartedAttempt): void {
  sql(`
    update attempts set pid = $pid, pid_start = $pid_start
    where job_seq = $job_seq and number = (
      select attempt_number from jobs where seq = $job_seq and lease_seq = $lease_seq and state = 'processing'
    )
  `).run({ ...lease, pid, pid_start });
}

function settleAll(
  connection: Connection,
  ended: readonly Settlement[],
  settings: OutcomeSettings,
  now: number,
): { stale: Lease[]; settled: Job[] } {
  const counts = countChanges(connection);
  const rows = new Map(
    rowsOf(
      connection,
      ended.map(({ lease }) => lease.job_seq),
    ).map((row) => [row.seq, row]),
  );
  const stale: Lease[] = [];
  const settled: JobRow[] = [];
  const runs: EndedRun[] = [];
  const records: EndRecord[] = [];
  for (const { lease, ending: told, pid = null } of ended) {
    const row = rows.get(lease.job_seq);
    if (row?.state !== "processing" || row.lease_seq !== lease.lease_seq) {
      stale.push(lease);
      continue;
    }
    const run = runJobFrom(row);
    const ending = endingAfter(run.snooze, told);
    const outcome = outcomeOf(run, ending, settings, now, Math.random());
    const next: JobRow = {
      ...row,
      ...outcome,
      updated_at: now,
      finished_at: outcome.state === "pending" ? null : now,
      worker_id: null,
      snooze: null,
      cancel_requested_at: null,
    };
    rows.set(row.seq, next);
    records.push({ ...ending, job_seq: row.seq, number: row.attempt_number, pid });
    counts.move(row, next);
    const completed = outcome.state === "completed";
    if (completed || isFailedRun(run.rules, ending)) runs.push({ completed, duration: ending.duration });
    settled.push(next);
  }
  writeOutcomes(connection, settled, now);
  writeEndings(connection, records, now);
  tellChildren(connection, settled.filter(isEnded), { counts, now });
  // Before the claim: it looks for jobs only in queues that are counted to have some.
  counts.save();
  const succeeded = runs.filter(({ completed }) => completed).length;
  addToTotal(connection, "success_runs", succeeded);
  addToTotal(connection, "failed_runs", runs.length - succeeded);
  recordRuns(connection, now, runs);
  addToTotal(connection, "stale_settlements", stale.length);
  noteEnded(connection, settled, now);
  return { stale, settled: settled.map(jobFrom) };
}

/** All of a turn in one statement: most of what a change of one job costs is to begin with the indexes of the table. */
function writeOutcomes({ sql }: Connection, settled: readonly JobRow[], now: number): void {
  if (settled.length === 0) return;
  sql(`
    update jobs set
      state = value ->> 'state', ready = coalesce(value ->> 'next_run_at' <= $now, 0), attempts = value ->> 'attempts',
      lost_in_row = value ->> 'lost_in_row', next_run_at = value ->> 'next_run_at', last_exit_code = value ->> 'last_exit_code',
      last_error = value ->> 'last_error', last_duration = value ->> 'last_duration', updated_at = $now,
      finished_at = value ->> 'finished_at', worker_id = null, snooze = null, cancel_requested_at = null
    from json_each($settled) where seq = value ->> 'seq'
  `).run({ settled: JSON.stringify(settled.map(outcomeIn)), now });
}

const outcomeIn = (row: JobRow) => ({
  seq: row.seq,
  state: row.state,
  attempts: row.attempts,
  lost_in_row: row.lost_in_row,
  next_run_at: row.next_run_at,
  last_exit_code: row.last_exit_code,
  last_error: row.last_error,
  last_duration: row.last_duration,
  finished_at: row.finished_at,
});

interface EndRecord extends Ending {
  readonly job_seq: number;
  readonly number: number;
  readonly pid: number | null;
}

/** One by one: this table has no indexes to begin with, and so many values are read faster from where they are bound. */
function writeEndings({ sql }: Connection, records: readonly EndRecord[], now: number): void {
  for (const { log_truncated, ...record } of records) {
    sql(`
      update attempts set
        result = $result, pid = coalesce(pid, $pid), finished_at = $now, duration = $duration, exit_code = $exit_code, signal = $signal,
        error = $error, note = $note, cpu_time = $cpu_time, peak_memory = $peak_memory,
        log_bytes = $log_bytes, log_truncated = $log_truncated, log_left_out = $log_left_out
      where job_seq = $job_seq and number = $number
    `).run({ ...record, log_truncated: Number(log_truncated), now });
  }
}

function addToTotal({ sql }: Connection, name: string, value: number): void {
  if (value === 0) return;
  sql(`
    insert into totals (name, value) values ($name, $value)
    on conflict (name) do update set value = value + excluded.value
  `).run({ name, value });
}

function claim(
  connection: Connection,
  wanted: Wanted,
  now: number,
): Pick<TurnResult, "claimed" | "next_due_at" | "expelled"> {
  let open = openQueues(connection, wanted);
  if (wanted.only === undefined && anyDue(open, now)) {
    if (!promote(connection, open, now)) return { claimed: [], next_due_at: now };
    open = openQueues(connection, wanted);
  }
  const host = hostOf(connection, wanted.worker_ids[0]!);
  if (host === null) {
    // Before anything is parked behind what is not claimed then.
    const expelled = nextInTurn(connection, wanted, open, now).length > 0 && { expelled: true as const };
    return { claimed: [], next_due_at: nextDueAt(connection, wanted, open, now), ...expelled };
  }
  const { jobs, more } = takeable(connection, wanted, open, now);
  const claimed = take(connection, jobs, { ...wanted, host, now });
  recordStarts(connection, jobs, open, now);
  const hungry = claimed.length < wanted.worker_ids.length;
  return {
    claimed,
    next_due_at: hungry ? (more ? now : nextDueAt(connection, wanted, open, now)) : null,
  };
}

interface Takers extends Pick<Wanted, "worker_ids"> {
  readonly host: string;
  readonly now: number;
}

function take(
  connection: Connection,
  jobs: readonly JobRow[],
  { worker_ids, host, now }: Takers,
): ClaimedJob[] {
  const { sql } = connection;
  if (jobs.length === 0) return [];
  const counts = countChanges(connection);
  const rows = jobs.map((job, place): JobRow => {
    const row: JobRow = {
      ...job,
      state: "processing",
      parked: 0,
      next_run_at: null,
      worker_id: worker_ids[place]!,
      lease_seq: job.lease_seq + 1,
      attempt_number: job.attempt_number + 1,
      started_at: now,
      updated_at: now,
      finished_at: null,
    };
    counts.move(job, row);
    return row;
  });
  const taken = JSON.stringify(
    rows.map(({ seq, worker_id, attempt_number }) => [seq, worker_id, attempt_number]),
  );
  sql(`
    update jobs set
      state = 'processing', ready = 0, parked = 0, next_run_at = null, worker_id = taken.value ->> 1, lease_seq = lease_seq + 1,
      attempt_number = attempt_number + 1, started_at = $now, updated_at = $now, finished_at = null
    from json_each($taken) as taken where seq = taken.value ->> 0
  `).run({ taken, now });
  sql(`
    insert into attempts (job_seq, number, worker_id, host, started_at)
    select value ->> 0, value ->> 2, value ->> 1, $host, $now from json_each($taken)
  `).run({ taken, host, now });
  counts.save();
  return rows.map(claimedFrom);
}

/** Where a worker is; workers that claim together are of one process. */
const hostOf = ({ sql }: Connection, worker_id: string): string | null =>
  sql("select host from workers join worker_processes using (process_id) where workers.id = $worker_id").get({
    worker_id,
  })?.host ?? null;

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
    return { ...claimedFrom(row), pid, pid_start, journal };
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
    return claimedFrom(
      sql(
        "update jobs set lease_seq = lease_seq + 1, worker_id = $worker_id where seq = $seq returning *",
      ).get({
        worker_id,
        seq,
      })!,
    );
  });
}
