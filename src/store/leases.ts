// What a worker process asks of a database, under the rules of store.ts: the middle of a job's life, from its claim to its settlement;
// and a claimed job's row as a domain type, for both stores.

import { endingOfNone } from "../domain/attempt.ts";
import { Refusal } from "../domain/errors.ts";
import type { Job, NewJob } from "../domain/job.ts";
import type { ClaimedJob, Lease, Settlement, TakenJob } from "../domain/lease.ts";
import type { OutcomeSettings } from "../domain/outcome.ts";
import type { StopOrder } from "../domain/worker.ts";
import { type JobRow, jobFrom } from "./rows.ts";

export interface Leases {
  /**
   * Stores a job as `enqueueOnce` does, and gives it to this worker when it may start at once, as a claim of only this job would: in one
   * step, so that no other worker is first.
   */
  enqueueFor(worker_id: string, job: NewJob): Promise<EnqueuedFor>;

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
   * - A job that is claimed and cannot be read could not start, and is settled as such; the others of the turn are given out. Where a
   *   run has begun, what cannot be read of its job counts as not said, here and wherever jobs change hands.
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
   * Lets each retry wait for what was left of its delay when the clock was set back by so many milliseconds, and likewise each job that
   * was snoozed; without them, each retry for the whole delay from now on. Doing it twice, as several processes may, does no harm.
   */
  mendRetries(setBackMs?: number): Promise<void>;
}

export interface EnqueuedFor {
  /** As it was stored. */
  readonly job: Job;
  /**
   * Null when it waits: for its moment, another job or one with its key, or room in its queue; when it is an older one of the same
   * unique key that has begun already; or when the worker is not entered any more.
   */
  readonly claimed: ClaimedJob | null;
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
  /** How those ended that were claimed and cannot be read, with the jobs as they are then; missing when there were none. */
  readonly unreadable?: readonly (Omit<Unreadable, "lease"> & { readonly job: Job })[];
  /** Set when there were jobs to claim and the process is not entered any more, or its lease has ended: it may claim none. */
  readonly expelled?: true;
}

interface Orders {
  readonly stop: ReadonlyMap<string, StopOrder>;
  /** Leases of jobs whose end a user asked for. */
  readonly cancel: readonly Lease[];
}

const leaseOf = ({ seq, lease_seq }: JobRow): Lease => ({ job_seq: seq, lease_seq });

export const claimedFrom = (row: JobRow): ClaimedJob => ({
  job: jobFrom(row),
  lease: leaseOf(row),
  attempt: row.attempt_number,
  worker_id: row.worker_id!,
});

/** The end of an attempt that cannot begin, because its job cannot be read. */
export interface Unreadable extends Settlement, Pick<ClaimedJob, "worker_id" | "attempt"> {}

/** Rows that were just claimed: those that can be run, as they are given out, and how the others ended. */
export function givenOf<R extends JobRow>(
  rows: readonly R[],
  give: (row: R) => ClaimedJob,
): { readonly claimed: readonly ClaimedJob[]; readonly unreadable: readonly Unreadable[] } {
  const claimed: ClaimedJob[] = [];
  const unreadable: Unreadable[] = [];
  for (const row of rows) {
    try {
      claimed.push(give(row));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const ending = endingOfNone({ result: "not_started", exit_code: 126, error: error.message });
      unreadable.push({
        lease: leaseOf(row),
        ending,
        worker_id: row.worker_id!,
        attempt: row.attempt_number,
      });
    }
  }
  return { claimed, unreadable };
}

/** What a turn says of them, given the jobs as they were settled. */
export function unreadableIn(
  ended: readonly Unreadable[],
  settled: readonly Job[],
): Pick<TurnResult, "unreadable"> {
  const jobs = new Map(settled.map((job) => [job.seq, job]));
  const unreadable = ended.flatMap(({ lease, ...end }) => {
    const job = jobs.get(lease.job_seq);
    return job ? [{ ...end, job }] : [];
  });
  return unreadable.length > 0 ? { unreadable } : {};
}
