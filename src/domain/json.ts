// A job, an attempt and a worker as JSON: the keys are the same, moments become ISO 8601 texts in UTC.

import { type Attempt, isCharged } from "./attempt.ts";
import type { Job } from "./job.ts";
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
