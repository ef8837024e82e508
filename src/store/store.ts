// What queuectl asks of a database, in the order of a job's life; the larger groups have files of their own beside this one. Every
// method is one atomic step: it happens whole or not at all, whoever else works on the same queue, and what it wrote is on disk when
// its promise is fulfilled. Moments are milliseconds since 1970 by the store's own clock. Trouble with the database itself is a
// Refusal of kind `unavailable` (it may pass) or `unusable` (it will not pass by itself).

import type { Gap, OutputPiece } from "../domain/attempt.ts";
import type { Lease, StreamPiece } from "../domain/lease.ts";
import type { QueueCounts, Span, Throughput } from "../domain/overview.ts";
import type { Stream } from "../domain/rules.ts";
import type { SettingKey } from "../domain/settings.ts";
import type { Stats } from "../domain/stats.ts";
import type { ProcessIdentity, StopOrder, Worker, WorkerProcess } from "../domain/worker.ts";
import type { Alerts } from "./alerts.ts";
import type { Jobs } from "./jobs.ts";
import type { Leases } from "./leases.ts";
import type { Matching } from "./matching.ts";
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
   * Refuses (`unusable`) a queue that was moved to another place since it was opened, as opening one does. What is there can still be
   * read, and never changes: whoever goes on reading has to ask.
   */
  refuseMoved(): Promise<void>;

  /**
   * Calls `onChange` soon after another process changed anything, or at least (`work`) what a worker acts on. A hint, not a promise: a
   * caller still looks by itself from time to time. Keeps the process alive until disposed.
   */
  watch(onChange: () => void, what?: "everything" | "work"): Watch;
}

export interface Watch extends Disposable {
  /** Whether the caller wants to be told at once, as in the beginning, or can wait for a tenth of a second, which costs less. */
  hurry(isUrgent: boolean): void;

  /**
   * Whether anything may have changed since this was last asked: only then is what a caller looks for by itself worth the questions. Always
   * true where that cannot be told by less than those.
   */
  hasNews(): Promise<boolean>;
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
