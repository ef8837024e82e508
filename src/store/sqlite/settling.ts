// What becomes of a turn's settlements in SQLite: jobs, their attempts, and the counts and sums that go with them.

import type { Ending } from "../../domain/attempt.ts";
import type { Job } from "../../domain/job.ts";
import type { Lease, Settlement } from "../../domain/lease.ts";
import { isFailedRun, type OutcomeSettings, outcomeOf } from "../../domain/outcome.ts";
import { endingAfter } from "../../domain/snooze.ts";
import { type JobRow, jobFrom, legible, runJobFrom } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { isEnded, tellChildren } from "./dependencies.ts";
import { forGiven } from "./given-rows.ts";
import { rowsOf } from "./in-turn.ts";
import { noteEnded } from "./outbox.ts";
import { type EndedRun, recordRuns } from "./run-history.ts";

export function settleAll(
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
    ).map((row) => [row.seq, legible(row)]),
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
  writeOutcomes(connection, settled.map(outcomeIn));
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
const writeOutcomes = forGiven(
  [
    "seq",
    "state",
    "ready",
    "attempts",
    "lost_in_row",
    "next_run_at",
    "last_exit_code",
    "last_error",
    "last_duration",
    "updated_at",
    "finished_at",
  ],
  `
    update jobs set
      state = given.state, ready = given.ready, attempts = given.attempts, lost_in_row = given.lost_in_row,
      next_run_at = given.next_run_at, last_exit_code = given.last_exit_code, last_error = given.last_error,
      last_duration = given.last_duration, updated_at = given.updated_at, finished_at = given.finished_at,
      worker_id = null, snooze = null, cancel_requested_at = null
    from given where jobs.seq = given.seq
  `,
);

const outcomeIn = (row: JobRow) => ({
  seq: row.seq,
  state: row.state,
  ready: Number(row.next_run_at !== null && row.next_run_at <= row.updated_at),
  attempts: row.attempts,
  lost_in_row: row.lost_in_row,
  next_run_at: row.next_run_at,
  last_exit_code: row.last_exit_code,
  last_error: row.last_error,
  last_duration: row.last_duration,
  updated_at: row.updated_at,
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
