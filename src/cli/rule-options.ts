// The options that say how a job is run and judged, beside what it is.

import { resolve } from "node:path";
import type { Backoff } from "../domain/backoff.ts";
import { readLimit } from "../domain/limits.ts";
import type { JobRules } from "../domain/rules.ts";
import { mergedSecrets } from "../domain/secret-env.ts";
import { seconds } from "./values.ts";
import type { Flag } from "./words.ts";

export const ruleFlags: readonly Flag[] = [
  ["--retry-on <statuses>", "Retry on these exit statuses only, such as 75,100-110; die on others"],
  ["--dead-on <statuses>", "Die on these exit statuses, whatever retries are left"],
  ["--success-on <statuses>", "The exit statuses that complete the job; 0 by default"],
  ["--backoff <kind>", "How delays grow: exponential (the default), linear or fixed"],
  ["--backoff-base <n>", "b of the delay before retry n: b ^ n seconds, b * n, or b"],
  ["--backoff-max <duration>", "The longest delay before a retry"],
  ["--nice <n>", "How far it stands back for others, 0 to 19"],
  ["--split", "Keep stdout and stderr apart, not in the order in which they were written"],
  ["--memory <size>", "The most memory that it may use, with all it starts, such as 500M"],
  [
    "--secret-env <K[=@file]>",
    "A variable of the worker's, or read from a file, and never stored; may be repeated",
    "repeatable",
  ],
];

export interface RuleOptions {
  readonly retryOn?: string;
  readonly deadOn?: string;
  readonly successOn?: string;
  readonly backoff?: string;
  readonly backoffBase?: string;
  readonly backoffMax?: string;
  readonly nice?: string;
  readonly memory?: string;
  readonly split?: boolean;
  readonly secretEnv?: readonly string[];
}

/** What the options say; what they do not say is missing. Whether it can be is the domain's business. */
export function rulesOf(options: RuleOptions, cwd: string): JobRules {
  const { backoffBase, backoffMax } = options;
  const said: JobRules = {
    retry_on: options.retryOn,
    dead_on: options.deadOn,
    success_on: options.successOn,
    backoff: options.backoff as Backoff | undefined,
    backoff_base: backoffBase === undefined ? undefined : seconds("backoff-base", backoffBase),
    backoff_max: backoffMax === undefined ? undefined : seconds("backoff-max", backoffMax),
    nice: options.nice === undefined ? undefined : readLimit("nice", options.nice),
    memory: options.memory === undefined ? undefined : readLimit("memory", options.memory),
    split: options.split,
    secret_env: options.secretEnv?.map((text) => absolute(text, cwd)),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

/** `NAME=@file` by the path of the file. */
function absolute(text: string, cwd: string): string {
  const at = text.indexOf("=@");
  return at < 0 || text.endsWith("=@") ? text : `${text.slice(0, at + 2)}${resolve(cwd, text.slice(at + 2))}`;
}

/** The rules that a request has, with others laid over them. */
export function mergedRules(under: JobRules = {}, over: JobRules): JobRules {
  const rules = { ...under, ...over };
  if (under.secret_env === undefined || over.secret_env === undefined) return rules;
  return { ...rules, secret_env: mergedSecrets(under.secret_env, over.secret_env) };
}
