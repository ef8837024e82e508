// A queue in a few lines, without durability, concurrency or speed: what a store must look like from outside.

import { type Ending, isCharged } from "../../src/domain/attempt.ts";
import type { FailurePolicy, Parent } from "../../src/domain/dependencies.ts";
import type { JobEdit } from "../../src/domain/edit.ts";
import { isSettled, type Job, type JobState } from "../../src/domain/job.ts";
import type { ClaimedJob, Lease } from "../../src/domain/lease.ts";
import { outcomeOf } from "../../src/domain/outcome.ts";
import { endingAfter } from "../../src/domain/snooze.ts";
import { settings } from "./sample-jobs.ts";

interface ModelAttempt {
  readonly number: number;
  readonly worker_id: string;
  readonly started_at: number;
  result: Ending["result"] | null;
  finished_at: number | null;
}

export interface ModelJob {
  job: Job;
  attempts: ModelAttempt[];
  lease_seq: number;
  lost_in_row: number;
  unique?: string;
  /** What it waits for, and what then becomes of it when that fails. */
  readonly waitsFor: Map<number, FailurePolicy>;
  snooze: number | null;
  cancel_requested: boolean;
}

export interface QueueModel {
  /** In enqueue order. */
  readonly jobs: Map<number, ModelJob>;
  /** The workers of each process that is there. */
  readonly processes: Map<number, Set<string>>;
  /** Every lease there ever was. */
  readonly leases: Lease[];
  readonly paused: Set<string>;
  /** How many jobs of a queue may run at once. */
  readonly concurrency: Map<string, number>;
  /** How many jobs of a queue may start in so many milliseconds. */
  readonly rates: Map<string, { readonly starts: number; readonly ms: number }>;
  /** When starts do not count any more, but for the rate's time. */
  starts: { readonly queue: string; readonly endsAt: number }[];
  success_runs: number;
  failed_runs: number;
}

export const emptyModel = (): QueueModel => ({
  jobs: new Map(),
  processes: new Map(),
  leases: [],
  paused: new Set(),
  concurrency: new Map(),
  rates: new Map(),
  starts: [],
  success_runs: 0,
  failed_runs: 0,
});

export const isWaiting = ({ job }: ModelJob) => job.state === "pending" || job.state === "failed";

/** When its next run may begin; null when something holds it back. */
const momentOf = (entry: ModelJob): number | null => (isWaiting(entry) ? entry.job.next_run_at : null);

export const isDue = (entry: ModelJob, now: number) => (momentOf(entry) ?? Number.POSITIVE_INFINITY) <= now;

export const jobsIn = (model: QueueModel, ...states: JobState[]) =>
  [...model.jobs.values()].filter(({ job }) => states.includes(job.state));

export const leaseOf = ({ job, lease_seq }: ModelJob): Lease => ({ job_seq: job.seq, lease_seq });

export function addJob(model: QueueModel, job: Job, after: readonly Parent[] = [], now = 0): void {
  const parents = after.map(({ id, if_fails }) => {
    const parent = [...model.jobs.values()].find((one) => one.job.id === id)!;
    return [parent, if_fails] as const;
  });
  model.jobs.set(job.seq, {
    job: parents.length === 0 ? job : { ...job, unmet: parents.length, next_run_at: null },
    waitsFor: new Map(parents.map(([{ job }, if_fails]) => [job.seq, if_fails])),
    attempts: [],
    lease_seq: 0,
    lost_in_row: 0,
    snooze: null,
    cancel_requested: false,
  });
  for (const [parent] of parents) if (isSettled(parent.job.state)) tellChildren(model, parent.job, now);
}

/** Lets those that wait for a job go, be cancelled or wait on, now that it is settled, or (as if completed) removed. */
export function tellChildren(
  model: QueueModel,
  parent: Pick<Job, "seq" | "id" | "state">,
  now: number,
): void {
  for (const child of model.jobs.values()) {
    const if_fails = child.waitsFor.get(parent.seq);
    if (if_fails === undefined) continue;
    if (parent.state === "completed" || if_fails === "run") {
      child.waitsFor.delete(parent.seq);
      const { held, run_at } = child.job;
      const unmet = child.waitsFor.size;
      const next_run_at = unmet === 0 && !held ? Math.max(run_at, now) : null;
      child.job = { ...child.job, unmet, next_run_at, updated_at: now };
    } else if (if_fails === "cancel") {
      cancelJob(model, child, now);
      child.job = { ...child.job, last_error: `job ${parent.id}, which it comes after, is ${parent.state}` };
    }
  }
}

/** How many more jobs of a queue may start. */
export const roomIn = (model: QueueModel, queue: string, now: number): number =>
  Math.min(
    (model.concurrency.get(queue) ?? Number.POSITIVE_INFINITY) -
      jobsIn(model, "processing").filter(({ job }) => job.queue === queue).length,
    (model.rates.get(queue)?.starts ?? Number.POSITIVE_INFINITY) - counted(model, queue, now).length,
  );

/** When the starts of a queue that count now do not any more, the first first. */
function counted(model: QueueModel, queue: string, now: number): number[] {
  const rate = model.rates.get(queue);
  if (!rate) return [];
  return model.starts
    .flatMap((start) => (start.queue === queue ? [start.endsAt + rate.ms] : []))
    .filter((moment) => moment > now)
    .sort((a, b) => a - b);
}

/** When a queue's rate lets one more start; null when it does already. */
export function rateOpensAt(model: QueueModel, queue: string, now: number): number | null {
  const rate = model.rates.get(queue);
  const moments = counted(model, queue, now);
  return rate && moments.length >= rate.starts ? moments[moments.length - rate.starts]! : null;
}

/** Whether nobody runs under its key. */
export const isKeyFree = (model: QueueModel, { job: { key } }: ModelJob): boolean =>
  key === null || !jobsIn(model, "processing").some(({ job }) => job.key === key);

/** Jobs that wait for a moment. */
const waitingIn = (model: QueueModel, queues: readonly string[] | null) =>
  [...model.jobs.values()].filter(
    (entry) =>
      momentOf(entry) !== null &&
      (queues === null || queues.includes(entry.job.queue)) &&
      !model.paused.has(entry.job.queue),
  );

/** The first jobs whose turn it is, in order. */
export function dueJobs(
  model: QueueModel,
  queues: readonly string[] | null,
  now: number,
  limit: number,
  isFair: boolean,
): ModelJob[] {
  const taken: ModelJob[] = [];
  const takenOf = (queue: string) => taken.filter(({ job }) => job.queue === queue).length;
  const load = ({ job: { queue } }: ModelJob) =>
    isFair ? jobsIn(model, "processing").filter(({ job }) => job.queue === queue).length + takenOf(queue) : 0;
  const due = waitingIn(model, queues).filter((entry) => momentOf(entry)! <= now);
  while (taken.length < limit) {
    const [next] = due
      .filter(
        (entry) =>
          !taken.includes(entry) &&
          roomIn(model, entry.job.queue, now) > takenOf(entry.job.queue) &&
          isKeyFree(model, entry) &&
          !taken.some(({ job }) => job.key !== null && job.key === entry.job.key),
      )
      .sort((a, b) => b.job.priority - a.job.priority || load(a) - load(b) || a.job.seq - b.job.seq);
    if (!next) break;
    taken.push(next);
  }
  return taken;
}

/**
 * When a worker of some queues should look again. Several answers where jobs wait for their key: whether these count as waiting for
 * their queue's rate depends on whether a claim has met them.
 */
export function nextDueAt(
  model: QueueModel,
  queues: readonly string[] | null,
  now: number,
): readonly (number | null)[] {
  const sure: number[] = [];
  const perhaps: number[] = [];
  for (const entry of waitingIn(model, queues)) {
    const moment = momentOf(entry)!;
    const opensAt = rateOpensAt(model, entry.job.queue, now);
    if (moment > now) sure.push(moment);
    else if (opensAt !== null) (isKeyFree(model, entry) ? sure : perhaps).push(opensAt);
  }
  const first = sure.length === 0 ? null : Math.min(...sure);
  return [first, ...perhaps.filter((moment) => first === null || moment < first)];
}

export function startJob(model: QueueModel, { lease, worker_id, attempt }: ClaimedJob, now: number): void {
  const entry = model.jobs.get(lease.job_seq)!;
  entry.lease_seq = lease.lease_seq;
  entry.job = {
    ...entry.job,
    state: "processing",
    next_run_at: null,
    worker_id,
    started_at: now,
    updated_at: now,
    finished_at: null,
  };
  const rate = model.rates.get(entry.job.queue);
  if (rate) {
    const { queue } = entry.job;
    model.starts = model.starts.filter((start) => start.queue !== queue || start.endsAt + rate.ms > now);
    const step = Math.max(1, Math.floor(rate.ms / 1000));
    model.starts.push({ queue, endsAt: (Math.floor(now / step) + 1) * step });
  }
  entry.attempts.push({ number: attempt, worker_id, started_at: now, result: null, finished_at: null });
  model.leases.push(lease);
}

/** False when the lease is stale. */
export function endJob(model: QueueModel, lease: Lease, told: Ending, now: number): boolean {
  const entry = model.jobs.get(lease.job_seq);
  if (entry?.job.state !== "processing" || entry.lease_seq !== lease.lease_seq) return false;
  const ending = endingAfter(entry.snooze, told);
  const { lost_in_row, ...outcome } = outcomeOf({ ...entry, ...entry.job }, ending, settings, now, 0);
  const finished_at = outcome.state === "pending" ? null : now;
  entry.job = { ...entry.job, ...outcome, worker_id: null, updated_at: now, finished_at };
  entry.lost_in_row = lost_in_row;
  entry.snooze = null;
  entry.cancel_requested = false;
  Object.assign(entry.attempts.at(-1)!, { result: ending.result, finished_at: now });
  if (isSettled(outcome.state)) tellChildren(model, entry.job, now);
  if (outcome.state === "completed") model.success_runs++;
  else if (isCharged(ending.result) && ending.exit_code !== 0) model.failed_runs++;
  return true;
}

export const mayCancel = ({ job }: ModelJob) => !isSettled(job.state);

export function cancelJob(model: QueueModel, entry: ModelJob, now: number): void {
  if (entry.job.state === "processing") {
    entry.cancel_requested = true;
    entry.job = { ...entry.job, updated_at: now };
  } else {
    entry.job = {
      ...entry.job,
      state: "cancelled",
      held: false,
      unmet: 0,
      next_run_at: null,
      finished_at: now,
      updated_at: now,
    };
    entry.waitsFor.clear();
    tellChildren(model, entry.job, now);
  }
}

export const mayChange = ({ job }: ModelJob, only: JobState | undefined) =>
  job.state !== "processing" && (only === undefined || job.state === only);

export function retryJob(entry: ModelJob, now: number): void {
  entry.lost_in_row = 0;
  entry.waitsFor.clear();
  entry.job = {
    ...entry.job,
    state: "pending",
    attempts: 0,
    held: false,
    unmet: 0,
    next_run_at: now,
    updated_at: now,
    finished_at: null,
  };
}

export function holdJob(entry: ModelJob, now: number): void {
  entry.job = { ...entry.job, held: true, next_run_at: null, updated_at: now };
}

export function releaseJob(entry: ModelJob, now: number): void {
  const { unmet, run_at } = entry.job;
  const next_run_at = unmet === 0 ? Math.max(run_at, now) : null;
  entry.job = { ...entry.job, held: false, next_run_at, updated_at: now };
}

export function editJob(entry: ModelJob, edit: JobEdit, now: number): void {
  const { job } = entry;
  const next_run_at = job.held || job.unmet > 0 ? null : (edit.run_at ?? job.next_run_at);
  entry.job = { ...job, ...edit, next_run_at, updated_at: now };
}
