// What queuectl asks of a database about schedules, under the rules of store.ts; and their rows as domain types, for both stores.

import { Refusal } from "../domain/errors.ts";
import type { Job, JobState, NewJob } from "../domain/job.ts";
import type { JobOrigin, NewSchedule, OverlapPolicy, Schedule, ScheduledJob } from "../domain/schedule.ts";

export interface Schedules {
  /**
   * All or none. Refused (`conflict`) when a name is taken or given twice; with `replace` the schedule that has the name becomes the
   * new one, and stays paused if it was. What was planned of the one before is not fired any more.
   */
  add(schedules: readonly NewSchedule[], how?: { readonly replace: boolean }): Promise<readonly Schedule[]>;

  /** All schedules, by name. */
  list(): Promise<readonly Schedule[]>;

  /** The schedule of this very name. Refused: `not_found`. */
  find(name: string): Promise<Schedule>;

  /** Some of those whose time has come, the longest due first, and when the next of the others does. */
  due(): Promise<DueSchedules>;

  /**
   * Makes jobs of times and lets the schedule go on with the next, in one step. Null, and nothing is done, when the schedule is not
   * any more as it was when the firing was planned: of two who fire at once, one does. A time that became a job once becomes none
   * again, as after the clock was set back.
   */
  fire(firing: Firing): Promise<Fired | null>;

  /** Makes a job by hand, beside the times. Refused: `not_found`. */
  run(name: string, job: NewJob): Promise<Job>;

  /** No time comes until it is resumed. Harmless twice. Refused: `not_found`. */
  pause(name: string): Promise<Schedule>;

  /** Goes on with this time; does nothing to one that is not paused. Refused: `not_found`. */
  resume(name: string, next_at: number | null): Promise<Schedule>;

  /** Its jobs stay. Refused: `not_found`. */
  remove(name: string): Promise<void>;

  /** The newest jobs that schedules of this name made and that are still there, the newest first. */
  runs(name: string, limit: number): Promise<readonly ScheduleRun[]>;

  /** Where a job comes from; null when from no schedule. */
  originOf(job_seq: number): Promise<JobOrigin | null>;
}

interface DueSchedules {
  readonly now: number;
  readonly due: readonly DueSchedule[];
  readonly next_at: number | null;
}

export type DueSchedule = Schedule & { readonly next_at: number };

export interface Firing {
  /** As it was read: what has changed since is not fired. */
  readonly schedule: Schedule;
  readonly jobs: readonly TimedJob[];
  /** What to do when `schedule.last_job` is not settled. */
  readonly overlap: OverlapPolicy;
  readonly missed_at: number | null;
  readonly next_at: number | null;
}

export interface TimedJob {
  readonly at: number;
  readonly job: NewJob;
}

export interface Fired {
  readonly jobs: readonly Job[];
  /** What was cancelled for them. */
  readonly replaced: Job | null;
  /** Whether the times became no jobs because the one before is not settled. */
  readonly skipped: boolean;
}

export interface ScheduleRun {
  /** Null: by hand. */
  readonly at: number | null;
  readonly job: Job;
}

/** A row of `schedules`, with the last job's if it is still there. */
export interface ScheduleRow extends Omit<Schedule, "job" | "paused" | "last_job"> {
  /** JSON. */
  readonly job: string;
  readonly paused: number | boolean;
  readonly last_job_seq: number | null;
  readonly last_job_id: string | null;
  readonly last_job_state: JobState | null;
}

export const scheduleFrom = (row: ScheduleRow): Schedule => ({
  name: row.name,
  cron: row.cron,
  tz: row.tz,
  missed: row.missed,
  overlap: row.overlap,
  jitter: row.jitter,
  job: jobOf(row),
  next_at: row.next_at,
  paused: Boolean(row.paused),
  last_at: row.last_at,
  missed_at: row.missed_at,
  skipped_at: row.skipped_at,
  created_at: row.created_at,
  updated_at: row.updated_at,
  last_job:
    row.last_job_id === null
      ? null
      : { seq: row.last_job_seq!, id: row.last_job_id, state: row.last_job_state! },
});

function jobOf({ name, job }: ScheduleRow): ScheduledJob {
  try {
    return JSON.parse(job);
  } catch {
    throw new Refusal(
      "unusable",
      `the schedule ${name} is damaged in the database: its job cannot be read`,
      `queuectl schedule delete ${name} removes it; a backup has it as it was`,
    );
  }
}

export const noSuchSchedule = (name: string) =>
  new Refusal(
    "not_found",
    `there is no schedule ${JSON.stringify(name)}`,
    "queuectl schedule list shows them",
  );

export const scheduleTaken = (name: string) =>
  new Refusal("conflict", `there already is a schedule ${name}`, `choose another name, or say --replace`);
