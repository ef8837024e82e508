// What queuectl asks of a database, in the order of a job's life. Every method is one atomic step: it happens whole or
// not at all, whoever else works on the same queue, and what it wrote is on disk when its promise is fulfilled. Moments
// are milliseconds since 1970 by the store's own clock. Trouble with the database itself is a Refusal of kind
// `unavailable` (it may pass) or `unusable` (it will not pass by itself).

import type { Attempt, Gap, OutputPiece } from "../domain/attempt.ts";
import type { Relatives } from "../domain/dependencies.ts";
import type { JobEdit } from "../domain/edit.ts";
import type { Job, JobState, NewJob, SettledState } from "../domain/job.ts";
import type { ClaimedJob, Lease, Settlement, StreamPiece, TakenJob } from "../domain/lease.ts";
import type { OutcomeSettings } from "../domain/outcome.ts";
import type { QueueCounts, Span, Throughput } from "../domain/overview.ts";
import type { Stream } from "../domain/rules.ts";
import type { SettingKey } from "../domain/settings.ts";
import type { Stats } from "../domain/stats.ts";
import type { ProcessIdentity, StopOrder, Worker, WorkerProcess } from "../domain/worker.ts";
import type { Alerts } from "./alerts.ts";
import type { Queues } from "./queues.ts";
import type { Schedules } from "./schedules.ts";

export interface Store extends AsyncDisposable {
  /**
   * How long after its last heartbeat a process's jobs are its own, in milliseconds, unless it asks for another lease; null where
   * that does not end as long as the process lives, because whoever works on the queue can see whether it does.
   */
  readonly leaseMs: number | null;
  /** Settings that have another default here than elsewhere, as texts. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly jobs: Jobs;
  readonly matching: Matching;
  readonly leases: Leases;
  /** Null where output lies in files beside the database: whoever may read the queue can read them. */
  readonly output: Output | null;
  readonly workers: Workers;
  readonly settings: StoredSettings;
  readonly stats: StatsReader;
  readonly queues: Queues;
  readonly schedules: Schedules;
  readonly alerts: Alerts;

  /** The moment by the store's clock. */
  now(): Promise<number>;

  /**
   * Calls `onChange` soon after another process changed anything, or at least (`work`) what a worker acts on. A hint, not a promise: a
   * caller still looks by itself from time to time. Keeps the process alive until disposed.
   */
  watch(onChange: () => void, what?: "everything" | "work"): Watch;
}

export interface Watch extends Disposable {
  /** Whether the caller wants to be told at once, as in the beginning, or can wait for a tenth of a second, which costs less. */
  hurry(isUrgent: boolean): void;
}

export interface Jobs {
  /**
   * Stores a job. Refused (`conflict`) when its id is taken, and (`not_found`) when it comes after one that there is not. A job that it
   * comes after and that is settled already counts at once.
   */
  enqueue(job: NewJob): Promise<Job>;

  /**
   * The same, and says whether it is a new one: of jobs with the same `unique.key` the newest that is not settled, or was enqueued within
   * `unique.seconds`, is given back instead. However many ask at once, one of them stores it.
   */
  enqueueOnce(job: NewJob): Promise<{ readonly job: Job; readonly isNew: boolean }>;

  /**
   * Stores as many jobs as the source yields, all or none, in its order, with memory for a few of them. A source that throws
   * leaves nothing behind. A taken or repeated id is refused (`conflict`) by name. A job may come after earlier ones of the source.
   */
  enqueueAll(source: AsyncIterable<NewJob>): Promise<Enqueued>;

  /** The job of this very id, or the only one whose id begins so. Refused: `not_found`, `ambiguous`. */
  find(idOrPrefix: string): Promise<Job>;

  /** The newest matching jobs first, and how many match in all. */
  list(filter: JobFilter, page: Page): Promise<{ readonly jobs: readonly Job[]; readonly total: number }>;

  /** The next jobs in the order of their enqueuing, behind the one with this number. */
  following(seq: number, limit: number): Promise<readonly Job[]>;

  /** The state that each of these jobs is in; those that are no more are missing. */
  states(seqs: readonly number[]): Promise<ReadonlyMap<number, JobState>>;

  /** The jobs that a job comes after, and up to `limit` that come after it. */
  relatives(seq: number, limit: number): Promise<Relatives>;

  /** Every attempt of a job, the oldest first; the one that runs has neither result nor end. */
  attempts(seq: number): Promise<readonly Attempt[]>;

  /**
   * A waiting job is cancelled at once; a running one is marked, and its worker ends it. Refused (`wrong_state`) for any job
   * that is neither; then none is touched. Here and wherever else jobs are settled or removed, those that come after them are told in the
   * same step (domain/dependencies.ts).
   */
  cancel(seqs: readonly number[]): Promise<readonly Job[]>;

  /** Keeps waiting jobs from running until somebody releases or retries them. Refused (`wrong_state`) for others; then none is touched. */
  hold(seqs: readonly number[]): Promise<readonly Job[]>;

  /** Lets held jobs run when their moment comes, or at once when it has. Refused (`wrong_state`) for others; then none is touched. */
  release(seqs: readonly number[]): Promise<readonly Job[]>;

  /** Changes what a waiting job is, in its place of the enqueue order. Refused (`wrong_state`) when it does not wait any more. */
  edit(seq: number, edit: JobEdit): Promise<Job>;

  /**
   * Makes jobs pending, to run as soon as their turn comes, with a fresh count of attempts, whatever held them back. Refused (`wrong_state`) when one of
   * them is processing or, given `only`, not in that state; then none is touched.
   */
  retry(seqs: readonly number[], only?: JobState): Promise<readonly Job[]>;

  /** Makes a dead job another one in its place, and pending, as `edit` and `retry` do. Refused (`wrong_state`) when it is not dead. */
  retryEdited(seq: number, edit: JobEdit): Promise<Job>;

  /** Removes jobs, their attempts and what the store has of their output. Refused (`wrong_state`) as `retry` is. Returns what has to be removed of their logs. */
  delete(seqs: readonly number[], only?: JobState): Promise<readonly RemovedJob[]>;

  /** Makes up to `limit` dead jobs pending, the oldest first. Returns how many. */
  retryDead(limit: number): Promise<number>;

  /** Removes up to `limit` dead jobs, the oldest first. */
  deleteDead(limit: number): Promise<readonly RemovedJob[]>;

  /**
   * Removes up to `limit` jobs of these states, completed and cancelled ones without, that finished before a moment and that no other job
   * waits for; and with any moment what nobody looks at any more: figures older than charts look back, and what enqueues that were cut
   * off have left.
   */
  prune(before: number, limit: number, states?: readonly SettledState[]): Promise<readonly RemovedJob[]>;

  /** How many jobs of a state finished before a moment. */
  finishedBefore(before: number, state: SettledState): Promise<number>;
}

export interface Enqueued {
  readonly count: number;
  /** How many of them were there already, or stand in the list before, by their `unique.key`. */
  readonly known: number;
  /** The ids, in order, read once and as they are asked for. */
  ids(): AsyncIterable<string>;
}

export interface JobFilter {
  readonly state?: JobState | undefined;
  readonly queue?: string | undefined;
  readonly tag?: string | undefined;
  /** Part of an id or a command, letters of either case. */
  readonly search?: string | undefined;
}

export interface Page {
  /** 0 for no limit. */
  readonly limit: number;
  /** Only jobs enqueued before the one with this number. */
  readonly before?: number | undefined;
}

/**
 * Jobs by a filter, the newest first, a window at a time. Each answer says where to go on (`older`), so that whoever walks all
 * that match sees each job once, whatever is added or changed meanwhile.
 */
export interface Matching {
  /**
   * A page of a list. With a text or a tag to compare it looks at about `scan` jobs, so it may show few and still have more;
   * on the first page, jobs whose id begins with the text come first, however old. `total` is counted by state and queue only.
   */
  page(filter: JobFilter, window: JobWindow): Promise<JobPage>;

  /** The number of the newest job; 0 when there never was one. */
  newest(): Promise<number>;

  /** How many match among the next `limit` jobs. */
  count(
    filter: JobFilter,
    window: JobSpan,
  ): Promise<{ readonly jobs: number; readonly older: number | undefined }>;

  /**
   * Does one thing to whatever matches among the next `limit` jobs. Jobs that it cannot be done to are left alone: running ones by
   * retry and delete, settled ones by cancel, by hold all that do not wait or are held, and by release all that are not.
   */
  change(change: JobChange, filter: JobFilter, window: JobSpan): Promise<ChangedJobs>;
}

export type JobChange = "retry" | "cancel" | "delete" | "hold" | "release";

export interface JobSpan {
  readonly limit: number;
  /** Only jobs enqueued before the one with this number. */
  readonly before?: number | undefined;
}

export interface JobWindow extends JobSpan {
  /** Jobs to look at when a text or a tag has to be compared. */
  readonly scan: number;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  /** Where the next page goes on; undefined at the end. */
  readonly older: number | undefined;
  readonly total: number | undefined;
}

export interface ChangedJobs {
  readonly changed: number;
  /** Jobs that match, and that it could not be done to. */
  readonly left: number;
  readonly removed: readonly RemovedJob[];
  readonly older: number | undefined;
}

/** Names the logs of a removed job: its attempts were numbered from 1. */
export interface RemovedJob {
  readonly seq: number;
  readonly attempts: number;
}

export interface Leases {
  /**
   * One turn of a worker process, in one step: writes which processes it started, settles what ended, and gives its idle workers
   * new jobs.
   *
   * - A settlement whose lease is no longer the job's newest changes nothing and comes back in `stale`.
   * - Claimed jobs come by priority, the highest first, then by enqueue order, among those of the queues asked for whose moment has
   *   come. No other claim anywhere gets the same job, and each raises its lease.
   * - The rest of an attempt's output is stored with its settlement. When the store has not what comes before it, as after a fail-over
   *   to a server that was behind, the turn is refused (`unavailable`) and changes nothing.
   * - A job that waits for its moment takes the place of its own enqueue order once that has come.
   * - Of all jobs with one key at most one is processing at any moment, however many ask. When it is not any more, in whatever way, the
   *   next one of that key is ready; a job that waits for its retry does not keep the others.
   * - No job of a paused queue is claimed, except by whoever wants only that one; and no job at all of a queue of which as many run as
   *   may, however many ask at the same moment.
   * - What alerts are to tell of a settled job is written with its settlement.
   */
  exchange(turn: Turn): Promise<TurnResult>;

  /**
   * By the word of the command that runs as this attempt of a job: when it exits by itself, whatever its status, the run is not charged
   * and the job waits for so many milliseconds. The last word counts, also for a worker that takes the command over. Refused
   * (`wrong_state`) when this attempt does not run, and when as many runs in a row as `mostSnoozes` ended so.
   */
  snooze(job_seq: number, attempt: number, ms: number): Promise<void>;

  /** What a process's workers are asked to do. */
  orders(process_id: number): Promise<Orders>;

  /**
   * Gives the workers of a dead process that hold jobs to another process, each job's lease raised, so that whoever still acts
   * for the dead one is refused. The dead process's idle workers are taken out. Given `only`, nothing but the worker of that job
   * is touched. Of two who ask at once, one gets the jobs and the other none. Where leases end, neither this nor what follows gives
   * anything to a process that is not entered any more, or whose own lease has ended.
   */
  takeOver(from: number, to: number, only?: number): Promise<readonly TakenJob[]>;

  /**
   * Gives jobs that run by a worker nobody has entered, as those of a restored backup do, to new workers of a process, each job's
   * lease raised. Of two who ask at once, one gets the jobs and the other none.
   */
  takeForgotten(to: number, only?: number): Promise<readonly ClaimedJob[]>;

  /**
   * Gives the jobs of processes whose lease has ended to new workers of a process, each job's lease raised, and takes those
   * processes with their workers out; none where leases do not end. Given `only`, nothing but the worker of that job is touched. Of
   * two who ask at once, one gets the jobs and the other none.
   */
  takeExpired(to: number, only?: number): Promise<readonly ClaimedJob[]>;

  /**
   * Lets each retry wait for what was left of its delay when the clock was set back by so many milliseconds; without them, for the
   * whole delay from now on. Doing it twice, as several processes may, does no harm.
   */
  mendRetries(setBackMs?: number): Promise<void>;
}

export interface Turn {
  readonly started: readonly StartedAttempt[];
  readonly ended: readonly Settlement[];
  /** What the outcome of the settlements is reckoned by. */
  readonly settings: OutcomeSettings;
  readonly wanted: Wanted | null;
}

export interface StartedAttempt {
  readonly lease: Lease;
  readonly pid: number;
  readonly pid_start: string;
}

export interface Wanted {
  /** Each gets at most one job. */
  readonly worker_ids: readonly string[];
  /** Null for every queue. */
  readonly queues: readonly string[] | null;
  /** Whether queues take turns: of equal priority first from the queue of which the fewest run. In enqueue order without. */
  readonly isFair?: boolean;
  /** Only this job, whenever it may run, also when its queue is paused. */
  readonly only?: number;
}

export interface TurnResult {
  readonly stale: readonly Lease[];
  /** The jobs as they are after their settlement, in the order of `ended`, without the stale ones. */
  readonly settled: readonly Job[];
  readonly claimed: readonly ClaimedJob[];
  /**
   * When the next waiting job of those queues may run; null when more may be claimed at once, or when none waits for a moment: jobs of
   * paused queues, and those for which there is no room, do not.
   */
  readonly next_due_at: number | null;
  /** Set when there were jobs to claim and the process is not entered any more, or its lease has ended: it may claim none. */
  readonly expelled?: true;
}

interface Orders {
  readonly stop: ReadonlyMap<string, StopOrder>;
  /** Leases of jobs whose end a user asked for. */
  readonly cancel: readonly Lease[];
}

/** What commands print, kept by the store so that it can be read on every machine. */
export interface Output {
  /** Names this queue: no other has the same name. Part of the names of files that belong to it. */
  readonly queue: string;

  /**
   * Adds to the output of the attempt that runs by this lease, and returns where it ends then: where to go on. What is there
   * already stays as it is, so doing it twice does no harm, and a piece that would begin behind the end is not stored. Null, and nothing
   * is stored, when the lease is no longer the job's newest or the attempt has ended.
   *
   * With a gap, what there is of it is removed first, and the output goes on behind it. A gap only grows; one that is not larger than
   * the one that is there, or begins behind the end, changes nothing.
   */
  append(lease: Lease, piece: StreamPiece, gap?: Gap): Promise<number | null>;

  /** Where an attempt's output ends; 0 where there is none. */
  size(of: OutputOf): Promise<number>;

  /** What was left out of it; null where it is whole. */
  gap(of: OutputOf): Promise<Gap | null>;

  /**
   * So many bytes of an attempt's output from a place on; fewer only at the end and before the gap. They begin at the place, or behind
   * the gap when it lies in that.
   */
  read(of: OutputOf, from: number, limit: number): Promise<OutputPiece>;
}

export interface OutputOf {
  readonly job_seq: number;
  readonly attempt: number;
  readonly stream: Stream;
}

export interface Workers {
  /** Enters a process and its workers. */
  register(entry: NewWorkerProcess): Promise<number>;

  /**
   * Says that a process is still there, and renews its lease where leases end. False when it is not entered any more or its lease has
   * ended: its jobs are or will be given to others.
   */
  heartbeat(process_id: number, leaseMs?: number): Promise<boolean>;

  /** Takes workers out. The last one takes its process with it; jobs they still hold stay theirs until rescued. */
  leave(worker_ids: readonly string[]): Promise<void>;

  /** Takes a process and all its workers out. */
  forget(process_id: number): Promise<void>;

  /** All workers, the oldest first. */
  list(): Promise<readonly Worker[]>;

  /** All processes that have workers. */
  processes(): Promise<readonly WorkerProcess[]>;

  /** The journals that workers' commands write to. */
  journals(): Promise<readonly string[]>;

  /** Asks workers to stop. Another order is not taken back by a later `finish`. */
  stop(worker_ids: readonly string[], order: StopOrder): Promise<void>;
}

interface NewWorkerProcess {
  readonly identity: ProcessIdentity;
  /** Its home folder: whoever shares host and home can take over what it leaves. */
  readonly home: string;
  readonly version: string;
  readonly queues: readonly string[] | null;
  readonly worker_ids: readonly string[];
  /** The file that their commands' shells write to. */
  readonly journal: string;
  /** Milliseconds, where leases end; the store's usual lease without. */
  readonly leaseMs?: number | undefined;
}

export interface StoredSettings {
  /** The texts that were set; a setting that was not is missing. */
  all(): Promise<Readonly<Record<string, string>>>;
  set(key: SettingKey, text: string): Promise<void>;
  unset(key: SettingKey): Promise<void>;
}

export interface StatsReader {
  read(): Promise<Stats>;

  /** How many jobs are neither completed nor dead nor cancelled, in these queues (null for all). */
  outstanding(queues: readonly string[] | null): Promise<number>;

  /**
   * How many of those will come to their end without a user's word: not those that are held, or wait in a paused queue, or for a job that
   * failed, nor what comes after these.
   */
  expected(queues: readonly string[] | null): Promise<number>;

  /** Runs that completed and that failed, by time; kept for as long as the longest span looks back. */
  throughput(span: Span): Promise<Throughput>;

  /** The seconds that this part (0 to 1) of the last day's runs did not take longer than, a fifth too large at most; null without runs. */
  durationUnder(part: number): Promise<number | null>;

  /** The queues that have jobs, by name. */
  queues(): Promise<readonly QueueCounts[]>;
}
