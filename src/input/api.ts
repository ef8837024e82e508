// The shapes of the HTTP API: what it takes, and what it gives. Its document is made from them, and tests hold the running server
// to them.

import { z } from "zod";
import { failurePolicies } from "../domain/dependencies.ts";
import { misuse } from "../domain/errors.ts";
import { type JobState, jobStates, settledStates } from "../domain/job.ts";
import { workerStates } from "../domain/worker.ts";
import { jobBody } from "./job.ts";
import { shownRuleShape } from "./rules.ts";

export const moment = z.iso.datetime();
export const momentOrNull = moment.nullable();

export const job = z
  .strictObject({
    id: z.string(),
    command: z.string(),
    state: z.enum(jobStates),
    attempts: z.int(),
    max_retries: z.int(),
    priority: z.int(),
    run_at: moment,
    next_run_at: momentOrNull,
    timeout: z.number(),
    queue: z.string(),
    tags: z.array(z.string()),
    cwd: z.string(),
    env: z.record(z.string(), z.string()),
    ...shownRuleShape,
    key: z.string().nullable(),
    held: z.boolean(),
    unmet: z.int(),
    created_at: moment,
    updated_at: moment,
    started_at: momentOrNull,
    finished_at: momentOrNull,
    last_exit_code: z.int().nullable(),
    last_error: z.string().nullable(),
    last_duration: z.number().nullable(),
    worker_id: z.string().nullable(),
  })
  .meta({ id: "Job" });

const attempt = z
  .looseObject({
    number: z.int(),
    result: z.string().nullable(),
    charged: z.boolean().nullable(),
    worker_id: z.string(),
    host: z.string(),
    pid: z.int().nullable(),
    started_at: moment,
    finished_at: momentOrNull,
    duration: z.number().nullable(),
    exit_code: z.int().nullable(),
    signal: z.string().nullable(),
    error: z.string().nullable(),
    note: z.string().nullable(),
    cpu_time: z.number().nullable(),
    peak_memory: z.int().nullable(),
    log_bytes: z.int(),
    log_truncated: z.boolean(),
    log_left_out: z.int().nullable(),
  })
  .meta({ id: "Attempt" });

const relative = z.strictObject({ id: z.string(), state: z.enum(jobStates) });

export const why = relative.extend({ why: z.string() }).meta({ id: "Why" });

export const jobWithHistory = job
  .extend({
    attempts_history: z.array(attempt),
    after: z.array(relative.extend({ if_fails: z.enum(failurePolicies) })),
    before: z.array(relative),
    /** Of a job that a schedule made. */
    schedule: z.string().optional(),
    scheduled_for: momentOrNull.optional(),
  })
  .meta({ id: "JobWithHistory" });

const worker = z
  .looseObject({
    id: z.string(),
    pid: z.int(),
    host: z.string(),
    state: z.enum(workerStates),
    job_id: z.string().nullable(),
    queues: z.array(z.string()).nullable(),
    version: z.string(),
    started_at: moment,
    heartbeat_at: moment,
  })
  .meta({ id: "Worker" });

/** How many jobs are in each state. */
const byState = Object.fromEntries(jobStates.map((state) => [state, z.int()])) as Record<JobState, z.ZodInt>;

export const stats = z
  .looseObject({
    ...byState,
    total: z.int(),
    active_workers: z.int(),
    success_runs: z.int(),
    failed_runs: z.int(),
    success_rate: z.number().nullable(),
    avg_duration: z.number().nullable(),
  })
  .meta({ id: "Stats" });

export const queue = z
  .strictObject({
    queue: z.string(),
    ...byState,
    oldest_waiting_at: momentOrNull,
    paused: z.boolean(),
    paused_at: momentOrNull,
    concurrency: z.int().nullable(),
    rate: z.string().nullable(),
  })
  .meta({ id: "Queue" });

/** What is not there stays as it is; null takes a limit away. */
export const limitsBody = z.strictObject({
  concurrency: z.number().nullish(),
  rate: z.string().nullish(),
});

/** A page of a list; `next` is the `before` of the next one. */
export const listOf = (item: z.ZodType) =>
  z.strictObject({ data: z.array(item), next: z.string().nullable() });

export const jobs = listOf(job).meta({ id: "Jobs" });
export const workers = listOf(worker).meta({ id: "Workers" });
export const queues = listOf(queue).meta({ id: "Queues" });
export const attempts = listOf(attempt).meta({ id: "Attempts" });
export const changed = z.strictObject({ changed: z.int(), left: z.int() }).meta({ id: "Changed" });
export const pruneBody = z.strictObject({
  older_than: z.number().min(0).optional(),
  states: z.array(z.enum(settledStates)).min(1).optional(),
  dry_run: z.boolean().optional(),
});
export const pruned = z.partialRecord(z.enum(settledStates), z.int()).meta({ id: "Pruned" });
export const settings = z.record(z.string(), z.unknown()).meta({ id: "Settings" });
export const setting = z.strictObject({ key: z.string(), value: z.unknown() }).meta({ id: "Setting" });
export const settingBody = z.strictObject({ value: z.union([z.string(), z.number()]) });
export const workerIds = z.strictObject({ worker_ids: z.array(z.string()) }).meta({ id: "WorkerIds" });
export const startBody = z.strictObject({
  count: z.int().optional(),
  queues: z.array(z.string()).optional(),
});
export const stopBody = z.strictObject({ id: z.string().optional(), force: z.boolean().optional() });

export const problem = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    check: z.string(),
    advice: z.string().optional(),
    errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: "Problem" });

export { jobBody };

/** A body after its shape; refused with the name of what is wrong. */
export function readBody<T>(shape: z.ZodType<T>, value: unknown): T {
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0]!;
  if (issue.code === "unrecognized_keys") throw misuse(`there is no key ${issue.keys.join(", ")} here`);
  throw misuse(`${issue.path.join(".") || "the body"}: ${issue.message}`);
}

/** A shape as JSON Schema, in the words of OpenAPI 3.1. */
export function jsonSchema(shape: z.ZodType): Record<string, unknown> {
  const { $schema, id, ...schema } = z.toJSONSchema(shape, {
    io: "input",
    unrepresentable: "any",
    reused: "inline",
  });
  return schema;
}
