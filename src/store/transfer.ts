// A whole queue on its way from one database to another: what it consists of, and what each database does to let it go and to
// take it in. Rows carry the columns' names in both, and numbers, texts, booleans (or 0 and 1) and null as JSON has them.

import { Refusal } from "../domain/errors.ts";
import type { StreamPiece } from "../domain/lease.ts";
import type { WorkerProcess } from "../domain/worker.ts";

export type MovedRow = Readonly<Record<string, string | number | boolean | null>>;

export interface MovedTable {
  readonly name: string;
  /** What a row is known by, and the order in which rows move. */
  readonly key: readonly string[];
  /** Those of the key first. */
  readonly columns: readonly string[];
  /** Whether PostgreSQL keeps its numbers in parts, to be added up by key. */
  readonly inParts: boolean;
}

const table = (name: string, key: string, values: string, inParts = false): MovedTable => ({
  name,
  key: key.split(" "),
  columns: `${key} ${values}`.trim().split(" "),
  inParts,
});

/** All but output, and the entries of worker processes: none is left when a queue moves. */
export const movedTables: readonly MovedTable[] = [
  table("settings", "key", "value"),
  table(
    "jobs",
    "seq",
    `id command state ready attempts attempt_number max_retries priority timeout queue tags cwd env rules held key unique_key parked unmet run_at next_run_at \
created_at updated_at started_at finished_at last_exit_code last_error last_duration worker_id lease_seq lost_in_row snooze \
cancel_requested_at`,
  ),
  table("dependencies", "child parent", "if_fails waits"),
  table("job_tags", "tag seq", ""),
  table("queues", "queue", "paused_at concurrency rate_starts rate_ms"),
  table("queue_starts", "queue ends_at", "began_at jobs"),
  table(
    "attempts",
    "job_seq number",
    `result worker_id host pid pid_start started_at finished_at duration exit_code signal error note cpu_time peak_memory \
log_bytes log_truncated log_left_out`,
  ),
  table(
    "schedules",
    "name",
    "cron tz missed overlap jitter job paused next_at last_at missed_at skipped_at last_job_seq created_at updated_at",
  ),
  table("schedule_runs", "job_seq", "schedule at"),
  table(
    "alerts",
    "name",
    "events queue tag longer_than more_than older_than gather channel target secret cwd paused created_at updated_at",
  ),
  table("outbox", "id", "alert event happened_at count about"),
  table("deliveries", "id", "alert event message state created_at due_at tries tried_at answer"),
  table("alert_marks", "alert mark", ""),
  table("counts", "queue state", "jobs ms", true),
  table("totals", "name", "value", true),
  table("run_buckets", "width start", "completed failed", true),
  table("run_durations", "hour bin", "runs", true),
];

/** The newest number that was ever given to a job and to a worker process; 0 when none was. */
export interface Numbering {
  readonly jobs: number;
  readonly worker_processes: number;
}

/** What there is of each thing, counted row by row. */
export type Tally = Readonly<Record<string, number>>;

/** Some of an attempt's output, in its order: bytes from a place on, or in place of them how many were left out there. */
export interface MovedOutput extends StreamPiece {
  readonly job_seq: number;
  readonly attempt: number;
  readonly left_out: number;
}

/** A queue that is held still for as long as it is read: nobody writes to it, and others may read. */
export interface Departure {
  /** As messages call it. */
  readonly place: string;
  /** The worker processes that are entered and whose lease has not ended. */
  processes(): Promise<readonly WorkerProcess[]>;
  numbering(): Promise<Numbering>;
  tally(): Promise<Tally>;
  /** All rows of a table in the order of its key, some thousands at a time. */
  rows(table: MovedTable): AsyncIterable<readonly MovedRow[]>;
  /** All output, by job and attempt, some pieces at a time; null where it lies in files beside the database. */
  readonly output: (() => AsyncIterable<readonly MovedOutput[]>) | null;
  /** Lets nobody write to it any more, and says to whoever opens it where it went; when the departure succeeds. */
  mark(to: string): Promise<void>;
}

/** An empty queue that is filled in one transaction, seen by nobody before that is done. */
export interface Arrival {
  readonly place: string;
  tally(): Promise<Tally>;
  write(table: MovedTable, rows: readonly MovedRow[]): Promise<void>;
  goOnFrom(numbering: Numbering): Promise<void>;
  /** Adds output; null where it lies in files beside the database. */
  readonly addOutput: ((pieces: readonly MovedOutput[]) => Promise<void>) | null;
}

/** Holds a queue still while `work` copies it. When that throws, the queue is as it was. */
export type Depart = <T>(work: (departure: Departure) => Promise<T>) => Promise<T>;

/** Fills a queue, making its database where there is none. When `work` throws, it is as empty as before. */
export type Arrive = <T>(work: (arrival: Arrival) => Promise<T>) => Promise<T>;

/** Copies all but output, and refuses a copy whose counts are not those of the original. */
export async function copyQueue(
  from: Departure,
  to: Arrival,
  /** What the original consists of. */
  wanted: Tally,
  onProgress: (copied: number, jobs: number) => void,
): Promise<void> {
  let jobs = 0;
  for (const table of movedTables) {
    for await (const rows of from.rows(table)) {
      await to.write(table, rows);
      if (table.name !== "jobs") continue;
      jobs += rows.length;
      onProgress(jobs, wanted.jobs ?? 0);
    }
  }
  await to.goOnFrom(await from.numbering());
  const found = await to.tally();
  for (const thing of new Set([...Object.keys(wanted), ...Object.keys(found)])) {
    if (wanted[thing] === found[thing]) continue;
    throw new Refusal(
      "unusable",
      `of ${thing} there are ${wanted[thing] ?? 0} in ${from.place}, and ${found[thing] ?? 0} came to ${to.place}`,
      "nothing was moved; queuectl doctor looks for what is wrong",
    );
  }
}
