// Database rows as domain types, shared by both stores: the columns carry the keys of a job's and an attempt's JSON.

import type { Attempt } from "../domain/attempt.ts";
import { Refusal } from "../domain/errors.ts";
import { idFromBytes, jobIdBytes, workerIdBytes } from "../domain/id.ts";
import type { Job } from "../domain/job.ts";
import type { RunJob } from "../domain/outcome.ts";
import type { JobRules } from "../domain/rules.ts";

/** A row of `jobs`: `tags`, `env` and `rules` as JSON texts, and what only stores need to know. */
export interface JobRow extends Omit<Job, "tags" | "env" | "rules" | "held"> {
  readonly tags: string;
  readonly env: string;
  readonly rules: string;
  readonly held: number | boolean;
  /** Whether it waits because another job runs under its key. */
  readonly parked: number | boolean;
  readonly attempt_number: number;
  readonly lease_seq: number;
  readonly lost_in_row: number;
  readonly snooze: number | null;
  readonly cancel_requested_at: number | null;
}

export interface AttemptRow extends Omit<Attempt, "log_truncated"> {
  readonly log_truncated: number | boolean;
}

export const jobFrom = (row: JobRow): Job => ({
  seq: row.seq,
  id: row.id,
  command: row.command,
  state: row.state,
  attempts: row.attempts,
  max_retries: row.max_retries,
  priority: row.priority,
  run_at: row.run_at,
  next_run_at: row.next_run_at,
  timeout: row.timeout,
  queue: row.queue,
  tags: row.tags === "[]" ? [] : tagsOf(row),
  cwd: row.cwd,
  env: row.env === "{}" ? {} : envOf(row),
  rules: rulesIn(row),
  key: row.key,
  held: Boolean(row.held),
  unmet: row.unmet,
  created_at: row.created_at,
  updated_at: row.updated_at,
  started_at: row.started_at,
  finished_at: row.finished_at,
  last_exit_code: row.last_exit_code,
  last_error: row.last_error,
  last_duration: row.last_duration,
  worker_id: row.worker_id,
});

/** Rows as jobs, as far as they can be read, and why each of the others cannot. */
export function readable(rows: readonly JobRow[]): ReadRows {
  const jobs: Job[] = [];
  const damaged: Refusal[] = [];
  for (const row of rows) {
    const read = readOrWhyNot(row);
    if (read instanceof Refusal) damaged.push(read);
    else jobs.push(read);
  }
  return { jobs, damaged };
}

export interface ReadRows {
  readonly jobs: readonly Job[];
  readonly damaged: readonly Refusal[];
}

function readOrWhyNot(row: JobRow): Job | Refusal {
  try {
    return jobFrom(row);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

const tagsOf = (row: JobRow): readonly string[] => {
  const value = parsed(row, "tags");
  if (!Array.isArray(value) || !value.every(isText)) throw damaged(row, "tags");
  return value;
};

const envOf = (row: JobRow): Readonly<Record<string, string>> => {
  const value = objectIn(row, "env");
  if (!Object.values(value).every(isText)) throw damaged(row, "env");
  return value as Record<string, string>;
};

/** Of most jobs there are none, and nothing is to be read. */
const rulesIn = (row: JobRow): JobRules => (row.rules === "{}" ? {} : rulesOf(row));

const rulesOf = (row: JobRow): JobRules => {
  const { checkRules } = require("../domain/rules.ts") as typeof import("../domain/rules.ts");
  const rules = objectIn(row, "rules");
  try {
    checkRules(rules);
  } catch {
    throw damaged(row, "rules");
  }
  return rules;
};

function objectIn(row: JobRow, column: "env" | "rules"): object {
  const value = parsed(row, column);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged(row, column);
  return value;
}

const isText = (value: unknown) => typeof value === "string";

function parsed(row: JobRow, column: "tags" | "env" | "rules"): unknown {
  try {
    return JSON.parse(row[column]);
  } catch {
    throw damaged(row, column);
  }
}

const isDamaged = (row: JobRow) => readOrWhyNot(row) instanceof Refusal;

/** The labels that a row is known by; undefined where they cannot be read. */
export const legibleTags = (row: JobRow): readonly string[] | undefined => {
  const { jobs } = readable([{ ...row, env: "{}", rules: "{}" }]);
  return jobs[0]?.tags;
};

/**
 * A row without what cannot be read of it. Of a run that has begun, which is watched and settled all the same; and of a page, which shows
 * the others too.
 */
export function legible<R extends JobRow>(row: R): R {
  if (!isDamaged(row)) return row;
  const empty = { tags: "[]", env: "{}", rules: "{}" };
  // Each is judged by itself, beside two that can be read.
  const isRead = (column: keyof typeof empty) => !isDamaged({ ...row, ...empty, [column]: row[column] });
  return {
    ...row,
    tags: isRead("tags") ? row.tags : empty.tags,
    env: isRead("env") ? row.env : empty.env,
    rules: isRead("rules") ? row.rules : empty.rules,
  };
}

/** A row as a job, without what cannot be read of it. */
export function legibleJob(row: JobRow): Job {
  const read = readOrWhyNot(row);
  return read instanceof Refusal ? jobFrom(legible(row)) : read;
}

const damaged = ({ id }: JobRow, column: string) =>
  new Refusal(
    "unusable",
    `job ${id} is damaged in the database: its ${column} cannot be read`,
    `queuectl delete ${id} removes it; a backup has it as it was`,
  );

export const runJobFrom = (row: JobRow): RunJob => ({
  attempts: row.attempts,
  max_retries: row.max_retries,
  rules: rulesIn(row),
  last_error: row.last_error,
  last_exit_code: row.last_exit_code,
  last_duration: row.last_duration,
  lost_in_row: row.lost_in_row,
  snooze: row.snooze,
  cancel_requested: row.cancel_requested_at !== null,
});

export const attemptFrom = (row: AttemptRow): Attempt => ({
  number: row.number,
  result: row.result,
  worker_id: row.worker_id,
  host: row.host,
  pid: row.pid,
  started_at: row.started_at,
  finished_at: row.finished_at,
  duration: row.duration,
  exit_code: row.exit_code,
  signal: row.signal,
  error: row.error,
  note: row.note,
  cpu_time: row.cpu_time,
  peak_memory: row.peak_memory,
  log_bytes: row.log_bytes,
  log_truncated: Boolean(row.log_truncated),
  log_left_out: row.log_left_out,
});

/** For a job that was given none. */
export const newJobId = () => idFromBytes(crypto.getRandomValues(new Uint8Array(jobIdBytes)));

export const newWorkerId = () =>
  `worker-${idFromBytes(crypto.getRandomValues(new Uint8Array(workerIdBytes)))}`;
