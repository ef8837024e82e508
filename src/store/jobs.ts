// What queuectl asks of a database about jobs, under the rules of store.ts: to store them, to look them up, and to change them by a
// user's word.

import type { Attempt } from "../domain/attempt.ts";
import type { Relatives } from "../domain/dependencies.ts";
import type { EditOf } from "../domain/edit.ts";
import type { Refusal } from "../domain/errors.ts";
import type { Job, JobState, NewJob, SettledState } from "../domain/job.ts";

export type Jobs = Enqueueing & Lookup & Changes & Pruning;

export interface Enqueueing {
  /**
   * Stores a job. Refused (`conflict`) when its id is taken, and (`not_found`) when it comes after one that there is not. A job that it
   * comes after and that is settled already counts at once.
   */
  enqueue(job: NewJob): Promise<Job>;

  /**
   * The same, and says whether it is a new one: of jobs with the same `unique.key` the newest that is not settled, or was enqueued within
   * `unique.seconds`, is given back instead. However many ask at once, one of them stores it.
   *
   * Given how its id begins, it is refused (`conflict`) as well when the id of another job begins so.
   */
  enqueueOnce(job: NewJob, idBegins?: string): Promise<{ readonly job: Job; readonly isNew: boolean }>;

  /**
   * Stores as many jobs as the source yields, all or none, in its order, with memory for a few of them. A source that throws
   * leaves nothing behind. A taken or repeated id is refused (`conflict`) by name. A job may come after earlier ones of the source.
   */
  enqueueAll(source: AsyncIterable<NewJob>): Promise<Enqueued>;
}

export interface Lookup {
  /** The job of this very id, or the only one whose id begins so. Refused: `not_found`, `ambiguous`. */
  find(idOrPrefix: string): Promise<Job>;

  /** The same, and every attempt of it, as both were at one moment. */
  history(idOrPrefix: string): Promise<JobHistory>;

  /** Which one it is, also where the rest of it cannot be read. */
  named(idOrPrefix: string): Promise<NamedJob>;

  /** The newest matching jobs first, and how many match in all. Those that cannot be read are told of beside them. */
  list(filter: JobFilter, page: Page): Promise<JobList>;

  /** The next jobs in the order of their enqueuing, behind the one with this number. */
  following(seq: number, limit: number): Promise<readonly Job[]>;

  /** The state that each of these jobs is in; those that are no more are missing. */
  states(seqs: readonly number[]): Promise<ReadonlyMap<number, JobState>>;

  /** The jobs that a job comes after, and up to `limit` that come after it. */
  relatives(seq: number, limit: number): Promise<Relatives>;

  /** Every attempt of a job, the oldest first; the one that runs has neither result nor end. */
  attempts(seq: number): Promise<readonly Attempt[]>;
}

export interface Changes {
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

  /**
   * Changes what a waiting job is, in its place of the enqueue order, to what `edit` makes of it as it is in this very step, and leaves it
   * alone when that is nothing. Refused (`wrong_state`) when it does not wait any more, and by what `edit` throws.
   */
  edit(seq: number, edit: EditOf): Promise<Job>;

  /**
   * Makes jobs pending, to run as soon as their turn comes, with a fresh count of attempts, whatever held them back. Refused
   * (`wrong_state`) when one of them is processing or, given `only`, not in that state; then none is touched.
   */
  retry(seqs: readonly number[], only?: JobState): Promise<readonly Job[]>;

  /** Makes a dead job another one in its place, and pending, as `edit` and `retry` do. Refused (`wrong_state`) when it is not dead. */
  retryEdited(seq: number, edit: EditOf): Promise<Job>;

  /**
   * Removes jobs, their attempts and what the store has of their output. Refused (`wrong_state`) as `retry` is. Returns what has to be
   * removed of their logs.
   */
  delete(seqs: readonly number[], only?: JobState): Promise<readonly RemovedJob[]>;
}

export interface Pruning {
  /**
   * Removes up to `limit` jobs of these states, completed and cancelled ones without, that finished before a moment and that no other job
   * waits for; and with any moment what nobody looks at any more: figures older than charts look back, and what enqueues that were cut
   * off have left.
   */
  prune(before: number, limit: number, states?: readonly SettledState[]): Promise<readonly RemovedJob[]>;

  /** How many jobs of a state `prune` would remove that finished before a moment. */
  finishedBefore(before: number, state: SettledState): Promise<number>;
}

export interface Enqueued {
  readonly count: number;
  /** How many of them were there already, or stand in the list before, by their `unique.key`. */
  readonly known: number;
  /** The ids, in order, read once and as they are asked for. */
  ids(): AsyncIterable<string>;
}

export type NamedJob = Pick<Job, "seq" | "id">;

export interface JobList {
  readonly jobs: readonly Job[];
  /** Why each of the jobs that are missing among them cannot be read. */
  readonly damaged: readonly Refusal[];
  readonly total: number;
}

export interface JobHistory {
  readonly job: Job;
  /** The oldest first. */
  readonly attempts: readonly Attempt[];
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

/** Names the logs of a removed job: its attempts were numbered from 1. */
export interface RemovedJob {
  readonly seq: number;
  readonly attempts: number;
}
