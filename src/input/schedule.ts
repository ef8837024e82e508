// A schedule as the API and a form in a browser describe it, and the shapes in which the API gives it.

import { z } from "zod";
import { parseDuration } from "../domain/duration.ts";
import { misuse } from "../domain/errors.ts";
import { type JobRequest, jobStates } from "../domain/job.ts";
import { oneOf } from "../domain/one-of.ts";
import { ruleNames } from "../domain/rules.ts";
import {
  checkSchedule,
  checkScheduled,
  type MissedPolicy,
  missedPolicies,
  type NewSchedule,
  type OverlapPolicy,
  overlapPolicies,
  type ScheduledJob,
} from "../domain/schedule.ts";
import { ownZone, zoneOf } from "../domain/zone.ts";
import { job, listOf, moment, momentOrNull, readBody } from "./api.ts";
import { firstTime } from "./cron.ts";
import { jobBody, readJobValue } from "./job.ts";
import { type JobForm, readJobForm } from "./job-form.ts";

/** What a user said of a schedule to be; the rest comes from the defaults. */
export interface ScheduleRequest {
  readonly name: string;
  readonly cron: string;
  readonly tz: string | undefined;
  readonly missed: MissedPolicy | undefined;
  readonly overlap: OverlapPolicy | undefined;
  /** Seconds. */
  readonly jitter: number | undefined;
  readonly job: JobRequest;
}

/** A complete and checked schedule. */
export function newSchedule(
  { name, cron, tz, missed = "one", overlap = "skip", jitter = 0 }: ScheduleRequest,
  job: ScheduledJob,
  now: number,
): NewSchedule {
  const zone = zoneOf(tz ?? ownZone()).name;
  const next_at = firstTime(cron, zone, now);
  return checkSchedule({ name, cron, tz: zone, missed, overlap, jitter, job, next_at });
}

export const scheduleBody = z.strictObject({
  name: z.string(),
  cron: z.string(),
  tz: z.string().optional(),
  missed: z.enum(missedPolicies).optional(),
  overlap: z.enum(overlapPolicies).optional(),
  jitter: z.number().optional(),
  job: jobBody,
});

export function readSchedule(value: unknown): ScheduleRequest {
  const { name, cron, tz, missed, overlap, jitter, job } = readBody(
    scheduleBody.extend({ job: z.unknown() }),
    value,
  );
  const request = readJobValue(job);
  checkScheduled(request);
  return { name, cron, tz, missed, overlap, jitter, job: request };
}

export const scheduleFields = [
  "name",
  "cron",
  "tz",
  "missed",
  "overlap",
  "jitter",
  "command",
  "queue",
  "priority",
  "max_retries",
  "timeout",
  "key",
  "tags",
  "cwd",
  "env",
  ...ruleNames,
] as const;

export type ScheduleForm = Readonly<Record<(typeof scheduleFields)[number], string>>;

export function readScheduleForm(form: ScheduleForm, now: number): ScheduleRequest {
  const none = { id: "", run_at: "", after: "", if_fails: "", unique: "", unique_key: "", unique_for: "" };
  const job: JobForm = { ...form, ...none };
  const jitter = parseDuration(form.jitter.trim() || "0");
  if (jitter === undefined)
    throw misuse(`jitter cannot be ${JSON.stringify(form.jitter)}: it is a duration such as 5m`);
  return {
    name: form.name.trim(),
    cron: form.cron.trim(),
    tz: form.tz.trim() || undefined,
    missed: form.missed === "" ? undefined : oneOf("missed", form.missed, missedPolicies),
    overlap: form.overlap === "" ? undefined : oneOf("overlap", form.overlap, overlapPolicies),
    jitter,
    job: readJobForm(job, now),
  };
}

export const schedule = z
  .strictObject({
    name: z.string(),
    cron: z.string(),
    tz: z.string(),
    missed: z.enum(missedPolicies),
    overlap: z.enum(overlapPolicies),
    jitter: z.number(),
    paused: z.boolean(),
    next_at: momentOrNull,
    last_at: momentOrNull,
    missed_at: momentOrNull,
    skipped_at: momentOrNull,
    last_job: z.strictObject({ id: z.string(), state: z.enum(jobStates) }).nullable(),
    job: z.looseObject({ command: z.string(), queue: z.string() }),
    created_at: moment,
    updated_at: moment,
  })
  .meta({ id: "Schedule" });

export const schedules = listOf(schedule).meta({ id: "Schedules" });

export const scheduleWithRuns = schedule
  .extend({
    next_times: z.array(moment),
    runs: z.array(job.extend({ scheduled_for: momentOrNull })),
  })
  .meta({ id: "ScheduleWithRuns" });
