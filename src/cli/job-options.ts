// The options that say what a job is like: of all commands that make one, or change one.

import { misuse } from "../domain/errors.ts";
import type { NewJob } from "../domain/job.ts";
import { settingRules } from "../domain/settings.ts";
import { after as later } from "../domain/time.ts";
import type { Context } from "./context.ts";
import { type RuleOptions, ruleFlags, rulesOf } from "./rule-options.ts";
import { moment, seconds, variable, wholeNumber } from "./values.ts";
import type { Flag } from "./words.ts";

export const jobFlags: readonly Flag[] = [
  ["--command <command>", "The command, instead of writing it as a word"],
  ["--id <id>", "A name of your own for the job"],
  ["--max-retries <n>", "Retries after the first run, 0 to 1000"],
  ["--priority <n>", "1 to 5; 5 runs first"],
  ["--run-at <time>", "When it may first run: ISO 8601 (local without an offset), or +10m"],
  ["--delay <duration>", "How long to wait before the first run, such as 10m"],
  ["--timeout <duration>", "How long it may run, such as 30s; 0 for no limit"],
  ["--queue <name>", "The queue it goes to"],
  ["--key <text>", "Of all jobs with one key, in whatever queue, one runs at a time"],
  ["--tag <tag>", "A label; may be repeated", "repeatable"],
  ["--cwd <folder>", "Where it runs; here by default"],
  ["--env <K=V|K>", "A variable for it, or one taken along from here; may be repeated", "repeatable"],
  ...ruleFlags,
];

/** Those of them that a command has: `id` is left out for `--id`. */
export const jobFlagsBut = (...left: readonly string[]) =>
  jobFlags.filter(([flag]) => !left.includes(/^--([a-z-]+)/.exec(flag)![1]!));

/** The options that say what a job is like. */
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
  settingRules.timeout.check(value, text);
  return value;
}
