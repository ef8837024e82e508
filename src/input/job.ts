// A job as JSON from outside: its shape is checked here, its rules by the domain.

import { z } from "zod";
import { failurePolicies, type Parent } from "../domain/dependencies.ts";
import { misuse, shown } from "../domain/errors.ts";
import type { JobRequest } from "../domain/job.ts";
import { uniqueIn } from "../domain/keys.ts";
import { didYouMean } from "../domain/nearest.ts";
import { noEnvName } from "../domain/plain-job.ts";
import { parseIso } from "../domain/time.ts";
import { jsonFault } from "./json-fault.ts";
import { ruleShape, rulesIn } from "./rules.ts";

const runAt = z
  .string()
  .transform((text, context) => {
    const moment = parseIso(text, { local: false });
    if (moment !== undefined) return moment;
    context.addIssue(
      `${JSON.stringify(text)} is not an ISO 8601 time with an offset, such as 2026-12-24T18:00:00Z`,
    );
    return z.NEVER;
  })
  .optional();

/** An id, or as `show` prints it. */
const parent = z
  .union([
    z.string(),
    z.strictObject({
      id: z.string(),
      if_fails: z.enum(failurePolicies).optional(),
      state: z.unknown().optional(),
    }),
  ])
  .transform((given): Parent => {
    const { id, if_fails = "cancel" } = typeof given === "string" ? { id: given } : given;
    return { id, if_fails };
  });

/** Keys that only the system writes: a job that was printed can be enqueued again as it is. */
export const systemKeys = [
  "state",
  "unmet",
  "before",
  "attempts",
  "next_run_at",
  "next_retry_at",
  "created_at",
  "updated_at",
  "started_at",
  "finished_at",
  "last_exit_code",
  "last_error",
  "last_duration",
  "worker_id",
  "attempts_history",
  "schedule",
  "scheduled_for",
] as const;

export const jobBody = z.strictObject({
  command: z.string(),
  id: z.string().optional(),
  max_retries: z.number().optional(),
  priority: z.number().optional(),
  timeout: z.number().optional(),
  queue: z.string().optional(),
  tags: z.array(z.string()).optional(),
  cwd: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
  ...ruleShape,
  key: z.string().nullish(),
  held: z.boolean().optional(),
  after: z.array(parent).optional(),
  unique: z.union([z.string(), z.boolean()]).nullish(),
  unique_for: z.number().optional(),
  run_at: runAt,
  ...Object.fromEntries(systemKeys.map((key) => [key, z.unknown().optional()])),
});

/** The job that a JSON text describes. `where` begins the message of a refusal, such as `line 3`. */
export function readJob(text: string, where?: string): JobRequest {
  return readJobValue(readJson(text, where), where);
}

/** The job that a parsed JSON value describes. */
export function readJobValue(value: unknown, where?: string): JobRequest {
  if (hasProto(value)) throw misuse(placed(noEnvName("__proto__").message, where));
  const read = jobBody.safeParse(value);
  if (!read.success) throw misuse(placed(issueText(worstOf(read.error.issues), value), where));
  const { command, id, max_retries, priority, timeout, queue, tags, cwd, env, key, held, after, run_at } =
    read.data;
  const rules = rulesIn(read.data);
  const unique = uniqueIn(read.data);
  return {
    command,
    id,
    max_retries,
    priority,
    timeout,
    queue,
    tags,
    cwd,
    env,
    rules,
    key,
    held,
    after,
    unique,
    run_at,
  };
}

/** zod leaves such a key out of a record without a word. */
const hasProto = (value: unknown) =>
  Object.hasOwn((value as { env?: object | null } | null)?.env ?? {}, "__proto__");

export function readJson(text: string, where?: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misuse(placed(`broken JSON: ${jsonFault(text, { oneOfMany: where !== undefined })}`, where));
  }
}

const placed = (message: string, where: string | undefined) =>
  where === undefined ? message : `${where}: ${message}`;

type Issue = z.core.$ZodIssue;

/** An unknown key comes first: it is often a misspelt one that is then missed. */
const worstOf = (issues: readonly Issue[]) =>
  issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0]!;

/** Of keys that a job has not. */
const mostNamed = 5;

function issueText(issue: Issue, value: unknown): string {
  if (issue.code === "unrecognized_keys") {
    const keys = Object.keys(jobBody.shape).filter((key) => !(systemKeys as readonly string[]).includes(key));
    const named = issue.keys.slice(0, mostNamed).map(shown).join(", ");
    const unknown = `a job has no key ${named}${issue.keys.length > mostNamed ? " and others" : ""}`;
    const near = issue.keys.length === 1 ? didYouMean(issue.keys[0]!, keys) : undefined;
    return `${unknown}${near ? ` (${near})` : ""}; its keys are ${keys.join(", ")}`;
  }
  if (issue.path.length === 0) return `a job is a JSON object, not ${kindOf(value)}`;
  const name = issue.path.join(".");
  const given = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown>)?.[key],
    value,
  );
  if (issue.code === "invalid_type" && given === undefined) return `a job needs a ${name}`;
  if (issue.code === "invalid_type")
    return `${name} must be ${kindText(issue.expected)}, not ${valueText(given)}`;
  return `${name}: ${issue.message}`;
}

const kindText = (kind: string) => `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind}`;

/** A text, a number or a list of them; what is nested by its kind, since it may be so too deeply to be written. */
function valueText(value: unknown): string {
  const isNested = typeof value === "object" && Object.values(value ?? {}).some(isObject);
  if (isNested) return kindOf(value);
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const isObject = (value: unknown) => typeof value === "object" && value !== null;

const kindOf = (value: unknown) =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "an array"
      : typeof value === "object"
        ? "an object"
        : `a ${typeof value}`;
