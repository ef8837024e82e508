// queuectl enqueue: a job from words, from JSON, or many from a file.

import { resolve } from "node:path";
import { misuse, Refusal } from "../../domain/errors.ts";
import { type JobDefaults, type JobRequest, type NewJob, newJob } from "../../domain/job.ts";
import { jobJson } from "../../domain/json.ts";
import { settingRules } from "../../domain/settings.ts";
import { after } from "../../domain/time.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { isTerminal, note, printJson, printLine, writeOut } from "../output.ts";
import { moment, seconds, variable, wholeNumber } from "../values.ts";

/** The options that say what a job is like; `run` has them too. */
export interface JobOptions {
  readonly dashed: readonly string[];
  readonly command?: string;
  readonly id?: string;
  readonly maxRetries?: string;
  readonly priority?: string;
  readonly runAt?: string;
  readonly delay?: string;
  readonly timeout?: string;
  readonly queue?: string;
  readonly tag?: readonly string[];
  readonly cwd?: string;
  readonly env?: readonly string[];
}

interface EnqueueOptions extends JobOptions {
  readonly file?: string;
  readonly json?: boolean;
}

export async function enqueue(
  context: Context,
  words: readonly string[],
  options: EnqueueOptions,
): Promise<number> {
  if (options.file !== undefined) return enqueueFile(context, words, { ...options, file: options.file });
  const request = await readRequest(words, options);
  await using store = await context.openStore();
  const job = await store.jobs.enqueue(await complete(context, store, options, request));
  await (options.json ? printJson(jobJson(job)) : printLine(job.id));
  await hintAtWorkers(store, [job.queue]);
  return done;
}

async function enqueueFile(
  context: Context,
  words: readonly string[],
  options: EnqueueOptions & { file: string },
): Promise<number> {
  if (words.length > 0 || options.dashed.length > 0 || options.command !== undefined) {
    throw misuse("--file brings the commands; leave out the other one");
  }
  const { readJobs } = await import("../../input/job-lines.ts");
  await using store = await context.openStore();
  const finish = await completer(context, store, options);
  let queues = new Set<string>();
  async function* jobs(): AsyncIterable<NewJob> {
    for await (const { request, where } of readJobs(bytesOf(options.file))) {
      const job = inPlace(where, () => finish(request));
      queues = queues.add(job.queue);
      yield job;
    }
  }
  const { ids } = await store.jobs.enqueueAll(jobs());
  if (options.json) await printJson(await Array.fromAsync(ids()));
  else for await (const page of pages(ids())) await writeOut(page);
  await hintAtWorkers(store, [...queues]);
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
  if (dashed.length > 0)
    return {
      command: dashed.map((word, index) => (index === 0 ? quotedProgram(word) : quoted(word))).join(" "),
    };
  const text = words[0] ?? command!;
  if (!looksLikeJson(text)) return { command: text };
  const { readJob } = await import("../../input/job.ts");
  return readJob(text);
}

/** `{ echo a; }` is a command, `{"command": …}` and `{}` are JSON. */
const looksLikeJson = (text: string) => /^\s*\{\s*["}]/.test(text);

/** A word as a shell reads it back unchanged. */
const quoted = (word: string) =>
  /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** The first word names a program; unquoted, a shell could take it for an assignment or a word of its own language. */
const quotedProgram = (word: string) =>
  word.includes("=") || shellWords.has(word) ? `'${word.replaceAll("'", `'\\''`)}'` : quoted(word);

const shellWords: ReadonlySet<string> = new Set(
  "if then else elif fi do done case esac while until for in function select time coproc".split(" "),
);

/** A request with the options laid over it, and the defaults below. */
export async function complete(
  context: Context,
  store: Store,
  options: JobOptions,
  request: JobRequest,
): Promise<NewJob> {
  return (await completer(context, store, options))(request);
}

async function completer(context: Context, store: Store, options: JobOptions) {
  const settings = await context.settings(store);
  const captured = settings.capture_env.flatMap((name) => {
    const value = context.environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const defaults: JobDefaults = {
    max_retries: settings.max_retries,
    priority: settings.priority,
    timeout: settings.timeout,
    cwd: context.cwd,
    env: Object.fromEntries(captured),
  };
  const over = overrides(context, options, await store.now());
  return (request: JobRequest): NewJob => {
    const asked = { ...request, ...over, env: { ...request.env, ...over.env } };
    const cwd = asked.cwd === undefined ? undefined : resolve(context.cwd, asked.cwd);
    return newJob({ ...asked, cwd, tags: [...(request.tags ?? []), ...(options.tag ?? [])] }, defaults);
  };
}

/** What the options say; what they do not say is missing. */
function overrides(context: Context, options: JobOptions, now: number): Partial<NewJob> {
  const { id, maxRetries, priority, runAt, delay, timeout, queue, cwd, env = [] } = options;
  if (runAt !== undefined && delay !== undefined) throw misuse("--run-at and --delay say the same: give one");
  const run_at =
    delay !== undefined
      ? after(now, seconds("delay", delay))
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
    cwd,
  };
  const present = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  return { ...present, env: Object.fromEntries(env.map((text) => variable(text, context.environment))) };
}

function checkedTimeout(text: string): number {
  const value = seconds("timeout", text);
  settingRules.timeout.check(value);
  return value;
}

/** Adds to a refusal where in the file the job stands. */
function inPlace<T>(where: string | undefined, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof Refusal) || where === undefined) throw error;
    throw new Refusal(error.kind, `${where}: ${error.message}`, error.advice);
  }
}

async function* bytesOf(file: string): AsyncIterable<Uint8Array> {
  try {
    yield* file === "-" ? Bun.stdin.stream() : Bun.file(file).stream();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "it does not exist" : code === "EISDIR" ? "it is a folder" : message;
    throw new Refusal("not_found", `${file} cannot be read: ${why}`);
  }
}

async function* pages(lines: AsyncIterable<string>): AsyncIterable<string> {
  let page = "";
  for await (const line of lines) {
    page += `${line}\n`;
    if (page.length < 65_536) continue;
    yield page;
    page = "";
  }
  yield page;
}

/** Somebody at a terminal may not know yet that a worker is needed. */
export async function hintAtWorkers(store: Store, queues: readonly string[]): Promise<void> {
  if (!isTerminal(2)) return;
  const workers = await store.workers.list();
  const unserved = queues.filter(
    (queue) => !workers.some((worker) => worker.queues?.includes(queue) ?? true),
  );
  if (unserved.length > 0) note(`no worker serves ${unserved.join(", ")} yet; start one: queuectl worker`);
}
