// A schedule: a command and the times at which it becomes a job. What a time means is input/cron.ts's business; here is what is
// done about times that nobody was there for. Moments are milliseconds since 1970, `jitter` is seconds.

import { formatDuration, written } from "./duration.ts";
import { misuse, shown } from "./errors.ts";
import { idRule, isId } from "./id.ts";
import type { Job, JobRequest, NewJob } from "./job.ts";

export const missedPolicies = ["skip", "one", "all"] as const;

/** Of the times that fell due while no worker ran: none, one for all of them, or each becomes a job when a worker is back. */
export type MissedPolicy = (typeof missedPolicies)[number];

export const overlapPolicies = ["skip", "queue", "replace"] as const;

/**
 * At a time when the job of the time before is not settled: there is none for this time, or one that waits until no other of
 * the schedule's runs, or the one before is cancelled.
 */
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** What becomes of each time. */
export type ScheduledJob = Omit<NewJob, "id" | "run_at" | "after" | "unique">;

export interface NewSchedule {
  readonly name: string;
  readonly cron: string;
  /** The zone of its wall clock. */
  readonly tz: string;
  readonly missed: MissedPolicy;
  readonly overlap: OverlapPolicy;
  /** Each job waits for up to so many seconds. */
  readonly jitter: number;
  readonly job: ScheduledJob;
  /** Null: never. */
  readonly next_at: number | null;
}

export interface Schedule extends NewSchedule {
  readonly paused: boolean;
  /** The newest time that became a job. */
  readonly last_at: number | null;
  /** The newest time that became none, because no worker ran. */
  readonly missed_at: number | null;
  /** The newest time that became none, because the job before it was not settled. */
  readonly skipped_at: number | null;
  readonly created_at: number;
  readonly updated_at: number;
  /** The newest job it made that is still there, also by hand. */
  readonly last_job: Pick<Job, "seq" | "id" | "state"> | null;
}

/** Which schedule made a job, and for which time; null: by hand. */
export interface JobOrigin {
  readonly schedule: string;
  readonly at: number | null;
}

const longestJitter = 86_400;

/** Refuses to make each job what only one job can be. */
export function checkScheduled({ id, run_at, held, after, unique }: JobRequest): void {
  if (id === undefined && run_at === undefined && !held && !after?.length && !unique) return;
  throw misuse("what a schedule runs has no id, run_at, held, after or unique of its own", "leave them out");
}

/** A complete schedule; refuses what breaks a rule. */
export function checkSchedule(schedule: NewSchedule): NewSchedule {
  if (!isId(schedule.name)) {
    throw misuse(`${shown(schedule.name)} is not a name of a schedule: ${idRule}`);
  }
  if (!(schedule.jitter >= 0 && schedule.jitter <= longestJitter)) {
    throw misuse(
      `the jitter cannot be ${written(schedule.jitter)}: it is 0 to ${formatDuration(longestJitter)}`,
    );
  }
  return schedule;
}

/** A time that is past by no more than this is late and not missed: a worker was restarted, or was busy. */
export const lateMs = 30_000;

/** Times that become jobs in one step; more wait for the next one, a moment later. */
export const timesAtOnce = 100;

export type NextTime = (after: number) => number | null;

/** What is to be done about a schedule whose time has come. */
export interface FiringPlan {
  /** Each becomes a job; the oldest first. */
  readonly times: readonly number[];
  readonly overlap: OverlapPolicy;
  readonly missed_at: number | null;
  readonly next_at: number | null;
}

/**
 * - Times that are only late become a job each, where jobs queue. Where one of them is there it stands for all that were missed, if
 *   one job is wanted for those.
 * - Whoever wants each missed time wants them whatever else runs, so they wait in the queue beside each other.
 * - Of several at once that may not run beside each other only the newest is worth a job.
 */
export function planFiring(
  { missed, overlap, next_at }: Pick<Schedule, "missed" | "overlap"> & { readonly next_at: number },
  now: number,
  next: NextTime,
): FiringPlan {
  const tooOld = now - lateMs;
  const isMissed = next_at < tooOld;
  const plan = (times: readonly number[], missed_at: number | null): FiringPlan => ({
    times: overlap !== "queue" && missed !== "all" ? times.slice(-1) : times,
    overlap: isMissed && missed === "all" ? "queue" : overlap,
    missed_at,
    next_at: next(times.at(-1) ?? now),
  });
  if (!isMissed || missed === "all") return plan(timesUpTo(next_at, now, next), null);

  const newestMissed = newestBefore(tooOld, next_at, next);
  const firstLate = next(newestMissed);
  const late = firstLate !== null && firstLate <= now ? timesUpTo(firstLate, now, next) : [];
  const times = missed === "one" && late.length === 0 ? [newestMissed] : late;
  return plan(times, times === late ? newestMissed : null);
}

function timesUpTo(first: number, now: number, next: NextTime): number[] {
  const times: number[] = [];
  for (let time: number | null = first; time !== null && time <= now; time = next(time)) {
    if (times.length === timesAtOnce) break;
    times.push(time);
  }
  return times;
}

/** Spans to look back over for the newest time: however long nobody looked, only the last few times are walked through. */
const spansMs = [60_000, 3_600_000, 86_400_000, 32 * 86_400_000, 366 * 86_400_000];

/** The newest time before a moment; `first` is one. */
function newestBefore(moment: number, first: number, next: NextTime): number {
  const isBefore = (time: number | null): time is number => time !== null && time < moment;
  const starts = spansMs.map((span) => next(moment - span)).filter(isBefore);
  let newest = Math.max(first, starts[0] ?? first);
  for (let time = next(newest); isBefore(time); time = next(time)) newest = time;
  return newest;
}

/** The job of a time. Its jitter is the same whoever reckons it. */
export const jobFor = (schedule: NewSchedule, at: number): NewJob => ({
  ...jobByHand(schedule),
  run_at: at + jitterMs(schedule.name, at, schedule.jitter),
});

/** A job beside the times. Jobs that queue have a key, so that none runs beside another. */
export const jobByHand = ({ name, overlap, job }: NewSchedule): NewJob => ({
  ...job,
  id: undefined,
  after: [],
  key: job.key ?? (overlap === "queue" ? `schedule ${name}` : null),
  run_at: undefined,
});

export const jitterMs = (name: string, at: number, jitter: number) =>
  Math.floor(fraction(`${name} ${at}`) * jitter * 1000);

/** A number from 0 to 1 that a text always has, and similar texts do not share (FNV-1a, then mixed as MurmurHash3 ends). */
function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
