// A job's rules as people read them.

import { formatDuration } from "./duration.ts";
import type { JobRules } from "./rules.ts";
import { readSecret } from "./secret-env.ts";
import { formatSize } from "./size.ts";

/** Each rule that was said, by a name. */
export function ruleFacts(rules: JobRules): [name: string, value: string][] {
  const { success_on, retry_on, dead_on } = rules;
  const facts: [string, string | undefined][] = [
    ["success on", success_on],
    ["retry on", retry_on],
    ["dead on", dead_on],
    ["backoff", backoffText(rules)],
    ["nice", rules.nice?.toString()],
    ["memory", rules.memory === undefined ? undefined : formatSize(rules.memory)],
    ["output", rules.split ? "stdout and stderr apart" : undefined],
    ["secret variables", rules.secret_env?.map(secretText).join(", ")],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined);
}

function secretText(text: string): string {
  const { name, path } = readSecret(text);
  return path === undefined ? `${name} of the worker` : `${name} from ${path}`;
}

/** `linear, 30 s × n, at most 1h`; undefined when nothing is said of it. */
function backoffText({ backoff, backoff_base, backoff_max }: JobRules): string | undefined {
  const parts = [backoff, baseText({ backoff, backoff_base }), mostText(backoff_max)];
  const said = parts.filter((part) => part !== undefined);
  return said.length === 0 ? undefined : said.join(", ");
}

function baseText({ backoff = "exponential", backoff_base }: JobRules): string | undefined {
  if (backoff_base === undefined) return undefined;
  if (backoff === "exponential") return `${backoff_base} ^ n s`;
  return backoff === "linear" ? `${formatDuration(backoff_base)} × n` : formatDuration(backoff_base);
}

const mostText = (seconds: number | undefined) =>
  seconds === undefined ? undefined : `at most ${formatDuration(seconds)}`;
