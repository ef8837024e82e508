// A job, an attempt, a worker, a queue, a schedule and an alert as JSON: the keys are the same, moments become ISO 8601 texts in UTC.

import { type Alert, type Delivery, shownTarget } from "./alert.ts";
import { type Attempt, isCharged } from "./attempt.ts";
import type { Relatives } from "./dependencies.ts";
import type { Job } from "./job.ts";
import { formatRate, type Queue } from "./queue.ts";
import type { JobOrigin, Schedule, ScheduledJob } from "./schedule.ts";
import { shownEnv } from "./secrets.ts";
import { isoTime } from "./time.ts";
import type { Worker } from "./worker.ts";

const isoOrNull = (moment: number | null) => (moment === null ? null : isoTime(moment));

export const jobJson = (job: Job) => ({
  id: job.id,
  command: job.command,
  state: job.state,
  attempts: job.attempts,
  max_retries: job.max_retries,
  priority: job.priority,
  run_at: isoTime(job.run_at),
  next_run_at: isoOrNull(job.next_run_at),
  timeout: job.timeout,
  queue: job.queue,
  tags: job.tags,
  cwd: job.cwd,
  env: job.env,
  ...job.rules,
  key: job.key,
  held: job.held,
  unmet: job.unmet,
  created_at: isoTime(job.created_at),
  updated_at: isoTime(job.updated_at),
  started_at: isoOrNull(job.started_at),
  finished_at: isoOrNull(job.finished_at),
  last_exit_code: job.last_exit_code,
  last_error: job.last_error,
  last_duration: job.last_duration,
  worker_id: job.worker_id,
});

/** The same without the secrets of its environment, for whoever asks over a network. */
export const shownJobJson = (job: Job) => ({ ...jobJson(job), env: shownEnv(job.env) });

export const attemptJson = (attempt: Attempt) => ({
  ...attempt,
  charged: attempt.result === null ? null : isCharged(attempt.result),
  started_at: isoTime(attempt.started_at),
  finished_at: isoOrNull(attempt.finished_at),
});

export const workerJson = (worker: Worker) => ({
  ...worker,
  started_at: isoTime(worker.started_at),
  heartbeat_at: isoTime(worker.heartbeat_at),
});

export const queueJson = ({ rate, paused_at, oldest_waiting_at, ...queue }: Queue) => ({
  ...queue,
  oldest_waiting_at: isoOrNull(oldest_waiting_at),
  paused: paused_at !== null,
  paused_at: isoOrNull(paused_at),
  rate: rate && formatRate(rate),
});

/** What a job's JSON has besides where it stands alone. */
export const relativesJson = ({ after, before }: Relatives) => ({
  after: after.map(({ id, state, if_fails }) => ({ id, state, if_fails })),
  before: before.map(({ id, state }) => ({ id, state })),
});

/** What a job's JSON has besides when a schedule made it; `scheduled_for` is null when that was by hand. */
export const originJson = (origin: JobOrigin | null) =>
  origin === null ? {} : { schedule: origin.schedule, scheduled_for: isoOrNull(origin.at) };

export const scheduledJobJson = ({ rules, ...job }: ScheduledJob) => ({ ...job, ...rules });

export const scheduleJson = (schedule: Schedule) => ({
  name: schedule.name,
  cron: schedule.cron,
  tz: schedule.tz,
  missed: schedule.missed,
  overlap: schedule.overlap,
  jitter: schedule.jitter,
  paused: schedule.paused,
  next_at: isoOrNull(schedule.next_at),
  last_at: isoOrNull(schedule.last_at),
  missed_at: isoOrNull(schedule.missed_at),
  skipped_at: isoOrNull(schedule.skipped_at),
  last_job: schedule.last_job && { id: schedule.last_job.id, state: schedule.last_job.state },
  job: scheduledJobJson(schedule.job),
  created_at: isoTime(schedule.created_at),
  updated_at: isoTime(schedule.updated_at),
});

/** The same without the secrets of its job's environment. */
export const shownScheduleJson = (schedule: Schedule) => ({
  ...scheduleJson(schedule),
  job: { ...scheduledJobJson(schedule.job), env: shownEnv(schedule.job.env) },
});

/** Without its secret, and of where it goes only what everybody may see. */
export const alertJson = (alert: Alert) => ({
  name: alert.name,
  on: alert.events,
  queue: alert.queue,
  tag: alert.tag,
  longer_than: alert.longer_than,
  more_than: alert.more_than,
  older_than: alert.older_than,
  gather: alert.gather,
  by: alert.channel,
  to: shownTarget(alert),
  cwd: alert.cwd,
  paused: alert.paused,
  untold: alert.untold,
  waiting: alert.waiting,
  given_up: alert.given_up,
  last: alert.last && deliveryJson(alert.last),
  created_at: isoTime(alert.created_at),
  updated_at: isoTime(alert.updated_at),
});

export const deliveryJson = (delivery: Delivery) => ({
  id: delivery.id,
  event: delivery.event,
  state: delivery.state,
  tries: delivery.tries,
  created_at: isoTime(delivery.created_at),
  tried_at: isoOrNull(delivery.tried_at),
  next_try_at: isoOrNull(delivery.due_at),
  answer: delivery.answer,
  message: JSON.parse(delivery.message),
});
