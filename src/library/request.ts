// A job as a program asks for it becomes one that can be stored. TypeScript knows the options; what a program without it gets wrong
// is refused here, by name.

import { resolve } from "node:path";
import type { Parent } from "../domain/dependencies.ts";
import { misuse } from "../domain/errors.ts";
import { type ExitRules, type Statuses, statusForms, statusList } from "../domain/exit-rules.ts";
import { type JobDefaults, type JobRequest, type NewJob, newJob } from "../domain/job.ts";
import { uniqueIn } from "../domain/keys.ts";
import { readLimit } from "../domain/limits.ts";
import type { JobRules } from "../domain/rules.ts";
import { commandOf } from "../domain/shell-words.ts";
import { after } from "../domain/time.ts";
import { shownValue } from "./checks.ts";

/** An earlier job that has to be settled first, by its whole id; what becomes of this one when it fails: `cancel` without a word. */
export type After = string | (Pick<Parent, "id"> & Partial<Pick<Parent, "if_fails">>);

/** What a job may be given; what is left out comes from the settings, as on the command line. The keys are those of a job's JSON. */
export interface EnqueueOptions
  extends Partial<Omit<NewJob, "command" | "run_at" | "rules" | "after" | "unique">>,
    Omit<JobRules, keyof ExitRules | "memory"> {
  /** Exit statuses: only these are retried. */
  readonly retry_on?: Statuses | undefined;
  /** Exit statuses: these die at once. */
  readonly dead_on?: Statuses | undefined;
  /** Exit statuses: these complete the job. */
  readonly success_on?: Statuses | undefined;
  /** Bytes, or a text such as `500M`. */
  readonly memory?: number | string | undefined;
  readonly after?: readonly After[] | undefined;
  /** The job that is there already is given back: of the same key, or with `true` of the same command, queue and directory. */
  readonly unique?: string | boolean | undefined;
  /** Seconds within which one that was enqueued counts, whatever became of it. */
  readonly unique_for?: number | undefined;
  /** When it may first run: a moment, in milliseconds since 1970 or as a Date. A past one means now. */
  readonly run_at?: Date | number | undefined;
  /** Seconds to wait before the first run, instead of `run_at`. */
  readonly delay?: number | undefined;
}

/** A command for the shell, or the words of one, each of which the program gets exactly as it is. */
export type Command = string | readonly string[];

/** One of many jobs. */
export interface JobWish extends EnqueueOptions {
  readonly command: Command;
}

export interface EnqueueFacts {
  readonly defaults: JobDefaults;
  /** By the store's clock. */
  readonly now: number;
}

export function jobOf(wish: JobWish, { defaults, now }: EnqueueFacts): NewJob {
  if (typeof wish !== "object" || wish === null)
    throw misuse(`a job is an object with a command, not ${shownValue(wish)}`);
  const { command, run_at, delay, unique, unique_for, ...rest } = wish;
  const given = Object.entries(rest).filter(isSaid).map(asStored);
  checkKinds(given, defaults);
  const isRule = ([name]: readonly [string, unknown]) => Object.hasOwn(ruleSamples, name);
  return newJob(
    {
      ...Object.fromEntries(given.filter((entry) => !isRule(entry))),
      rules: Object.fromEntries(given.filter(isRule)),
      command: textOf(command),
      run_at: momentOf(run_at, delay, now),
      after: [...(rest.after ?? [])].map(parentOf),
      unique: uniqueOf(unique, unique_for),
      ...(rest.cwd !== undefined && { cwd: rest.cwd && resolve(defaults.cwd, rest.cwd) }),
    },
    defaults,
  );
}

/** A job without a key is printed with null for it. */
const isSaid = ([name, value]: readonly [string, unknown]) =>
  value !== undefined && !(name === "key" && value === null);

/** What JSON has several forms for, in the one that a job has; a gap in a list as the `undefined` that it reads as. */
function asStored([name, said]: readonly [string, unknown]): readonly [string, unknown] {
  const value = Array.isArray(said) ? [...said] : said;
  if (name === "retry_on" || name === "dead_on" || name === "success_on") {
    if (![value].flat().every((one) => typeof one === "string" || typeof one === "number"))
      throw misuse(`${name} cannot be ${shownValue(value)}: it is ${statusForms}`);
    return [name, statusList(value as Statuses)];
  }
  return [name, name === "memory" && typeof value === "string" ? readLimit("memory", value) : value];
}

function parentOf(given: After): Parent {
  const { id, if_fails = "cancel", ...more } = typeof given === "string" ? { id: given } : (given ?? {});
  if (typeof id !== "string" || Object.keys(more).length > 0)
    throw misuse("after is a list of ids, or of { id, if_fails }");
  return { id, if_fails };
}

function uniqueOf(unique: unknown, unique_for: unknown): JobRequest["unique"] {
  if (unique !== undefined && typeof unique !== "string" && typeof unique !== "boolean")
    throw misuse(`unique cannot be ${shownValue(unique)}: it is true, or a key`);
  if (unique_for !== undefined && typeof unique_for !== "number")
    throw misuse(`unique_for cannot be ${shownValue(unique_for)}: it is a number of seconds`);
  return uniqueIn({ unique, unique_for });
}

function textOf(command: Command): string {
  if (typeof command === "string") return command;
  if (!Array.isArray(command) || ![...command].every(isText))
    throw misuse("a command is a text, or a list of words");
  if (command.length === 0) throw misuse("the command has no words");
  return commandOf(command);
}

function momentOf(run_at: Date | number | undefined, delay: number | undefined, now: number) {
  if (run_at !== undefined && delay !== undefined) throw misuse("run_at and delay say the same: give one");
  if (delay !== undefined) {
    if (typeof delay !== "number" || !(delay >= 0))
      throw misuse(`delay cannot be ${shownValue(delay)}: it is a number of seconds`);
    return after(now, delay);
  }
  if (run_at === undefined) return undefined;
  const moment = run_at instanceof Date ? run_at.getTime() : run_at;
  if (!Number.isFinite(moment))
    throw misuse(`run_at cannot be ${shownValue(run_at)}: it is a Date, or milliseconds since 1970`);
  // Whatever lies before is as past as the first moment that can be stored.
  return after(Math.max(0, Math.round(moment)), 0);
}

/** A value of the kind that each rule has. */
const ruleSamples: Readonly<Record<keyof JobRules, unknown>> = {
  retry_on: "",
  dead_on: "",
  success_on: "",
  backoff: "",
  backoff_base: 0,
  backoff_max: 0,
  secret_env: [],
  nice: 0,
  memory: 0,
  split: true,
};

/** A value is of the kind that it has in a complete job; a name that is not in one is none. */
function checkKinds(options: readonly (readonly [string, unknown])[], defaults: JobDefaults): void {
  const { command: _command, rules: _rules, unique: _unique, ...job } = newJob({ command: "true" }, defaults);
  const samples: Readonly<Record<string, unknown>> = { ...job, id: "", key: "", ...ruleSamples };
  for (const [name, value] of options) {
    if (!Object.hasOwn(samples, name)) {
      const names = Object.keys(samples).join(", ");
      throw misuse(`there is no option ${shownValue(name)}`, `there are ${names}, unique, unique_for, delay`);
    }
    const [kind, wanted] = [kindOf(value), kindOf(samples[name])];
    if (kind !== wanted && wanted !== "null")
      throw misuse(`${name} cannot be ${shownValue(value)}: it is of the kind ${wanted}`);
    if (name === "tags" && !(value as readonly unknown[]).every(isText))
      throw misuse(`tags cannot be ${shownValue(value)}: it is a list of texts`);
    if (name === "env") checkVariables(value as object);
  }
}

function checkVariables(env: object): void {
  // A Map and the like would give no variable, without a word.
  if (Symbol.iterator in env)
    throw misuse(`env cannot be ${shownValue(env)}: it is an object whose keys are the variables`);
  for (const [name, value] of Object.entries(env))
    if (!isText(value)) throw misuse(`env.${name} cannot be ${shownValue(value)}: it is a text`);
}

const isText = (value: unknown) => typeof value === "string";

const kindOf = (value: unknown) =>
  value === null ? "null" : Array.isArray(value) ? "array" : value instanceof Date ? "Date" : typeof value;
