// queuectl enqueue: a job from words, from JSON, or many from a file or a list.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { failurePolicies, type Parent } from "../../domain/dependencies.ts";
import { misuse } from "../../domain/errors.ts";
import { type JobRequest, type NewJob, newJob } from "../../domain/job.ts";
import { oneOf } from "../../domain/one-of.ts";
import { defaultsFrom } from "../../domain/plain-job.ts";
import { commandOf } from "../../domain/shell-words.ts";
import type { Store } from "../../store/store.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { type JobOptions, jobFlags, overrides } from "../job-options.ts";
import { hint, jsonFlag, note, printJson, printLine } from "../output.ts";
import { hintIfSeen, looksLikeJson } from "../plain-enqueue.ts";
import { mergedRules } from "../rule-options.ts";
import { seconds } from "../values.ts";

export const commands: Commands = {
  enqueue: {
    usage: "enqueue '<command>' | -- <word…> | '<json>' | --file <file> | --each '<command>' [options]",
    examples: [
      "queuectl enqueue 'ffmpeg -i in.mov out.mp4' --priority 5",
      "queuectl enqueue --delay 10m -- cp 'a file' /backup",
      `queuectl enqueue '{"command": "make test", "max_retries": 0}'`,
      "find . -name '*.wav' -print0 | queuectl enqueue -0 --each 'flac {} -o {.}.flac'",
    ],
    flags: [
      ...jobFlags,
      ["--hold", "Let it wait until it is released"],
      ["--after <job>", "Run it when this job has completed; may be repeated", "repeatable"],
      ["--after-any <job>", "Run it when this job is settled, however; may be repeated", "repeatable"],
      ["--if-parent-fails <what>", "When a job of --after fails: cancel it (the default), wait, or run"],
      ["--unique", "Not again while the same command of the same queue and folder is not settled"],
      ["--unique-key <text>", "Not again while a job of this key is not settled"],
      ["--unique-for <duration>", "Nor within so long after it was enqueued, whatever became of it"],
      ["--file <file>", "Jobs as JSON, a JSON array or JSON Lines, or the list for --each; - is stdin"],
      [
        "--each <command>",
        "This command for each line of a list, with {} {.} {/} {//} {/.} {#} {1} {2} in it",
      ],
      ["--colsep <separator>", "What stands between {1} and {2}: a character, or a regular expression"],
      ["-0, --null", "The list's values end with a NUL byte, not with a line end"],
      jsonFlag,
    ],
    run: enqueue,
  },
};

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

async function enqueue(context: Context, words: readonly string[], options: EnqueueOptions): Promise<number> {
  const { file, each, colsep } = options;
  if (each === undefined && (colsep !== undefined || options.null))
    throw misuse("--colsep and --null are for --each");
  if (file !== undefined || each !== undefined) return enqueueList(context, words, options);
  const request = await readRequest(words, options);
  await using store = await context.openStore();
  const wanted = await complete(context, store, options, request);
  const { job, isNew } = await store.jobs.enqueueOnce(wanted);
  if (!isNew) note(`job ${job.id} is there already, ${job.state}; no other is stored`);
  else if (job.state === "cancelled") note(`queuectl: job ${job.id} is cancelled at once: ${job.last_error}`);
  if (options.json) {
    const { jobJson } = await import("../../domain/json.ts");
    await printJson(jobJson(job));
  } else await printLine(job.id);
  if (!existsSync(job.cwd)) hint(`there is no folder ${job.cwd} here; where there is none, the job fails`);
  await hintIfSeen(store, [job.queue]);
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
  await using store = await context.openStore("often");
  const queues = await enqueueMany(store, list, await completer(context, store, options), { json });
  await hintIfSeen(store, queues);
  return done;
}

/** The one job that the words describe: a command, words behind `--`, or JSON. */
export async function readRequest(words: readonly string[], options: JobOptions): Promise<JobRequest> {
  const { dashed, command } = options;
  const given = [words.length > 0, dashed.length > 0, command !== undefined].filter(Boolean).length;
  if (given === 0) throw misuse("what is to be run? Say a command, such as 'echo hello'");
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
    // An empty one, as of a variable that is not set, stays what it is and is refused: the command is not to run here.
    const cwd = asked.cwd && resolve(context.cwd, asked.cwd);
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
  const policy = oneOf("--if-parent-fails", ifParentFails ?? "cancel", failurePolicies);
  const named = [
    ...after.map((word) => [word, policy] as const),
    ...afterAny.map((word) => [word, "run"] as const),
  ];
  const parents: Parent[] = [];
  for (const [word, if_fails] of named) parents.push({ id: (await store.jobs.find(word)).id, if_fails });
  return parents;
}
