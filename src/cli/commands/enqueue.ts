// queuectl enqueue: a job from words, from JSON, or many from a file or a list.

import { resolve } from "node:path";
import { failurePolicies, type Parent } from "../../domain/dependencies.ts";
import { misuse } from "../../domain/errors.ts";
import { defaultsFrom, type JobRequest, type NewJob, newJob } from "../../domain/job.ts";
import { jobJson } from "../../domain/json.ts";
import { settingRules } from "../../domain/settings.ts";
import { commandOf } from "../../domain/shell-words.ts";
import { after as later } from "../../domain/time.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { isTerminal, note, printJson, printLine } from "../output.ts";
import { mergedRules, type RuleOptions, rulesOf } from "../rule-options.ts";
import { moment, seconds, variable, wholeNumber } from "../values.ts";

/** The options that say what a job is like; `run` has them too. */
export interface JobOptions extends RuleOptions {
  readonly dashed: readonly string[];
  readonly command?: string;
  readonly id?: string;
  readonly maxRetries?: string;
  readonly priority?: string;
  readonly runAt?: string;
  readonly delay?: string;
  readonly timeout?: string;
  readonly queue?: string;
  readonly key?: string;
  readonly tag?: readonly string[];
  readonly cwd?: string;
  readonly env?: readonly string[];
}

/** The options that say when a job's turn comes. */
interface OrderOptions {
  readonly hold?: boolean;
  readonly after?: readonly string[];
  readonly afterAny?: readonly string[];
  readonly ifParentFails?: string;
  readonly unique?: boolean;
  readonly uniqueKey?: string;
  readonly uniqueFor?: string;
}

interface EnqueueOptions extends JobOptions, OrderOptions {
  readonly file?: string;
  readonly each?: string;
  readonly colsep?: string;
  readonly null?: boolean;
  readonly json?: boolean;
}

export async function enqueue(
  context: Context,
  words: readonly string[],
  options: EnqueueOptions,
): Promise<number> {
  const { file, each, colsep } = options;
  if (each === undefined && (colsep !== undefined || options.null))
    throw misuse("--colsep and --null are for --each");
  if (file !== undefined || each !== undefined) return enqueueList(context, words, options);
  const request = await readRequest(words, options);
  await using store = await context.openStore();
  const wanted = await complete(context, store, options, request);
  const { job, isNew } = await store.jobs.enqueueOnce(wanted);
  if (!isNew) note(`job ${job.id} is there already, ${job.state}; no other is stored`);
  await (options.json ? printJson(jobJson(job)) : printLine(job.id));
  await hintAtWorkers(store, [job.queue]);
  return done;
}

async function enqueueList(
  context: Context,
  words: readonly string[],
  options: EnqueueOptions,
): Promise<number> {
  const { file, each, json = false } = options;
  const option = each === undefined ? "--file" : "--each";
  if (words.length > 0 || options.dashed.length > 0 || options.command !== undefined) {
    throw misuse(`${option} brings the commands; leave out the other one`);
  }
  if (each !== undefined && options.id !== undefined)
    throw misuse("--id names one job, and --each brings many");
  const { enqueueMany } = await import("./enqueue-many.ts");
  const list = { file: file ?? "-", each, colsep: options.colsep, isNull: options.null ?? false };
  await using store = await context.openStore();
  const queues = await enqueueMany(store, list, await completer(context, store, options), { json });
  await hintAtWorkers(store, queues);
  return done;
}

/** The one job that the words describe: a command, words behind `--`, or JSON. */
export async function readRequest(words: readonly string[], options: JobOptions): Promise<JobRequest> {
  const { dashed, command } = options;
  const given = [words.length > 0, dashed.length > 0, command !== undefined].filter(Boolean).length;
  if (given === 0) throw misuse("what is to be run? Say a command: queuectl enqueue 'echo hello'");
  if (given > 1)
    throw misuse("more than one command is given", "say it once: as a word, behind -- or with --command");
  if (words.length > 1) {
    throw misuse(`the command is ${words.length} words`, "quote it, or put -- before it");
  }
  if (dashed.length > 0) return { command: commandOf(dashed) };
  const text = words[0] ?? command!;
  if (!looksLikeJson(text)) return { command: text };
  const { readJob } = await import("../../input/job.ts");
  return readJob(text);
}

/** `{ echo a; }` is a command, `{"command": …}` and `{}` are JSON. */
const looksLikeJson = (text: string) => /^\s*\{\s*["}]/.test(text);

/** A request with the options laid over it, and the defaults below. */
export async function complete(
  context: Context,
  store: Store,
  options: JobOptions,
  request: JobRequest,
): Promise<NewJob> {
  return (await completer(context, store, options))(request);
}

export async function completer(context: Context, store: Store, options: JobOptions & OrderOptions) {
  const defaults = defaultsFrom(await context.settings(store), context);
  const over = overrides(context, options, await store.now());
  const parents = await parentsOf(store, options);
  const unique = uniqueOf(options);
  return (request: JobRequest): NewJob => {
    const asked = {
      ...request,
      ...over,
      env: { ...request.env, ...over.env },
      rules: mergedRules(request.rules, over.rules ?? {}),
      held: options.hold ?? request.held,
      after: [...(request.after ?? []), ...parents],
      unique: unique ?? request.unique,
    };
    const cwd = asked.cwd === undefined ? undefined : resolve(context.cwd, asked.cwd);
    return newJob({ ...asked, cwd, tags: [...(request.tags ?? []), ...(options.tag ?? [])] }, defaults);
  };
}

function uniqueOf({ unique, uniqueKey, uniqueFor }: OrderOptions): JobRequest["unique"] {
  if (!unique && uniqueKey === undefined && uniqueFor === undefined) return undefined;
  return { key: uniqueKey, seconds: uniqueFor === undefined ? 0 : seconds("unique-for", uniqueFor) };
}

async function parentsOf(store: Store, options: OrderOptions): Promise<Parent[]> {
  const { after = [], afterAny = [], ifParentFails } = options;
  if (ifParentFails !== undefined && after.length === 0)
    throw misuse("--if-parent-fails is about the jobs of --after");
  const policy = failurePolicies.find((word) => word === (ifParentFails ?? "cancel"));
  if (policy === undefined)
    throw misuse(`--if-parent-fails cannot be ${JSON.stringify(ifParentFails)}: it is cancel, wait or run`);
  const named = [
    ...after.map((word) => [word, policy] as const),
    ...afterAny.map((word) => [word, "run"] as const),
  ];
  const parents: Parent[] = [];
  for (const [word, if_fails] of named) parents.push({ id: (await store.jobs.find(word)).id, if_fails });
  return parents;
}

/** What the options say; what they do not say is missing. */
export function overrides(context: Context, options: JobOptions, now: number): Partial<NewJob> {
  const { id, maxRetries, priority, runAt, delay, timeout, queue, key, cwd, env = [] } = options;
  if (runAt !== undefined && delay !== undefined) throw misuse("--run-at and --delay say the same: give one");
  const run_at =
    delay !== undefined
      ? later(now, seconds("delay", delay))
      : runAt !== undefined
        ? moment("run-at", runAt, now)
        : undefined;
  const said: Partial<NewJob> = {
    id,
    max_retries: maxRetries === undefined ? undefined : wholeNumber("max-retries", maxRetries, 0, 1000),
    priority: priority === undefined ? undefined : wholeNumber("priority", priority, 1, 5),
    timeout: timeout === undefined ? undefined : checkedTimeout(timeout),
    run_at,
    queue,
    key,
    cwd,
  };
  const present = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  return {
    ...present,
    env: Object.fromEntries(env.map((text) => variable(text, context.environment))),
    rules: rulesOf(options, context.cwd),
  };
}

function checkedTimeout(text: string): number {
  const value = seconds("timeout", text);
  settingRules.timeout.check(value);
  return value;
}

/** Somebody at a terminal may not know yet that a worker is needed. */
export async function hintAtWorkers(store: Store, queues: readonly string[]): Promise<void> {
  if (!isTerminal(2)) return;
  const workers = await store.workers.list();
  const unserved = queues.filter(
    (queue) => !workers.some((worker) => worker.queues?.includes(queue) ?? true),
  );
  if (unserved.length > 0) note(`no worker serves ${unserved.join(", ")} yet; start one: queuectl worker`);
  for (const { queue, paused_at } of await store.queues.rules()) {
    if (paused_at !== null && queues.includes(queue))
      note(`the queue ${queue} is paused; queuectl queue resume ${queue} lets it go on`);
  }
}
