// A job: a command to be run, and everything its users may know about it. The keys are those of its JSON, here as in
// SQL and on pages. Moments are milliseconds since 1970 (ISO 8601 in JSON), durations are seconds.

import { checkParents, type Parent } from "./dependencies.ts";
import { misuse, shown } from "./errors.ts";
import { checkId, idRule, isId } from "./id.ts";
import { checkKey, checkUnique, type Unique, type UniqueRequest, uniqueOf } from "./keys.ts";
import { checkCommand, checkCwd, checkEnv, defaultQueue } from "./plain-job.ts";
import { checkRules, type JobRules } from "./rules.ts";
import { secretNames } from "./secret-env.ts";
import { settingRules } from "./settings.ts";

export const jobStates = ["pending", "processing", "completed", "failed", "dead", "cancelled"] as const;

/**
 * - `pending`: waiting to run, also when scheduled for later
 * - `processing`: running now
 * - `completed`: exit status 0
 * - `failed`: failed, and waiting for its next retry
 * - `dead`: out of retries, in the dead letter queue
 * - `cancelled`: stopped by a user
 */
export type JobState = (typeof jobStates)[number];

/** Which state may follow which: `pending` again by retry, or when a run is given back. */
export const nextStates: Readonly<Record<JobState, readonly JobState[]>> = {
  pending: ["processing", "cancelled", "pending"],
  processing: ["completed", "failed", "dead", "cancelled", "pending"],
  completed: ["pending"],
  failed: ["processing", "cancelled", "pending"],
  dead: ["pending"],
  cancelled: ["pending"],
};

/** States of a job that nothing will run without a user's word. */
export const settledStates = ["completed", "dead", "cancelled"] as const;

export type SettledState = (typeof settledStates)[number];

export const isSettled = (state: JobState): state is SettledState =>
  state === "completed" || state === "dead" || state === "cancelled";

/** The others. */
export const unsettledStates = jobStates.filter((state) => !isSettled(state));

/** States of a job that is to run, now or later. */
export const isWaiting = (state: JobState) => state === "pending" || state === "failed";

/** What a new job is made of, complete and checked. */
export interface NewJob {
  /** Undefined: the store makes one. */
  readonly id: string | undefined;
  readonly command: string;
  readonly max_retries: number;
  readonly priority: number;
  /** Seconds, 0 for none. */
  readonly timeout: number;
  readonly queue: string;
  readonly tags: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly rules: JobRules;
  /** Of all jobs with one key, one runs at a time. Null: none. */
  readonly key: string | null;
  /** Whether it waits until somebody releases it. */
  readonly held: boolean;
  /** The jobs that have to be settled before it runs: earlier ones. */
  readonly after: readonly Parent[];
  /** Undefined: it is another job, however many like it there are. */
  readonly unique?: Unique | undefined;
  /** Undefined: now. */
  readonly run_at: number | undefined;
}

export interface Job extends Omit<NewJob, "id" | "run_at" | "after" | "unique"> {
  /** Enqueue order; names the job's logs, so it is never used twice. Not part of its JSON. */
  readonly seq: number;
  readonly id: string;
  readonly state: JobState;
  /** Charged runs since it was enqueued or last retried by hand. */
  readonly attempts: number;
  readonly run_at: number;
  /** How many of the jobs that it comes after are not settled. */
  readonly unmet: number;
  /** Null unless the job waits for a moment: also while it is held, or comes after others, or another one runs under its key. */
  readonly next_run_at: number | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly last_exit_code: number | null;
  readonly last_error: string | null;
  readonly last_duration: number | null;
  readonly worker_id: string | null;
}

/** What a user said of a job to be; the rest comes from the defaults. */
export type JobRequest = Partial<Omit<NewJob, "unique">> &
  Pick<NewJob, "command"> & { readonly unique?: UniqueRequest | undefined };

export interface JobDefaults extends Pick<NewJob, "max_retries" | "priority" | "timeout" | "cwd"> {
  /** Below what the request says. */
  readonly env: NewJob["env"];
}

export interface Enqueuer {
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A complete and checked job from what was asked for; refuses what breaks a rule. */
export const newJob = (request: JobRequest, defaults: JobDefaults): NewJob =>
  checkNewJob({
    id: request.id,
    command: request.command,
    max_retries: request.max_retries ?? defaults.max_retries,
    priority: request.priority ?? defaults.priority,
    timeout: request.timeout ?? defaults.timeout,
    queue: request.queue ?? defaultQueue,
    tags: [...new Set(request.tags)],
    cwd: request.cwd ?? defaults.cwd,
    env: { ...without(defaults.env, secretNames(request.rules?.secret_env)), ...request.env },
    rules: request.rules ?? {},
    key: request.key ?? null,
    held: request.held ?? false,
    after: request.after ?? [],
    unique: request.unique && uniqueOf({ ...request, cwd: request.cwd ?? defaults.cwd }, request.unique),
    run_at: request.run_at,
  });

const without = (env: NewJob["env"], names: readonly string[]): NewJob["env"] =>
  names.length === 0
    ? env
    : Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

const maxTags = 64;

/** Refuses what breaks a rule. */
export function checkNewJob(job: NewJob): NewJob {
  if (job.id !== undefined) checkId(job.id);
  checkParents(job.after, job.id);
  checkCommand(job.command);
  settingRules.max_retries.check(job.max_retries);
  settingRules.priority.check(job.priority);
  settingRules.timeout.check(job.timeout);
  checkQueue(job.queue);
  checkTags(job.tags);
  checkEnv(job.env);
  checkRules(job.rules);
  for (const name of secretNames(job.rules.secret_env)) {
    if (Object.hasOwn(job.env, name)) {
      throw misuse(`${name} stands in env and in secret_env`, "what stands in env is stored");
    }
  }
  if (job.key !== null) checkKey(job.key);
  if (job.unique) checkUnique(job.unique);
  checkCwd(job.cwd);
  return job;
}

export function checkQueue(queue: string): void {
  if (!isId(queue)) throw misuse(`queue ${shown(queue)} is not a name: ${idRule}`);
}

export function checkTags(tags: readonly string[]): void {
  if (tags.length > maxTags) throw misuse(`a job has at most ${maxTags} tags, not ${tags.length}`);
  for (const tag of tags) {
    if (!/^[^\s,\p{Cc}\p{Cs}]{1,64}$/u.test(tag)) {
      throw misuse(`tag ${shown(tag)} is not 1 to 64 characters without blanks and commas`);
    }
  }
}
