// What a job's exit statuses mean, where the job says so itself. A status is what its attempt shows as `exit_code`: 124 of a run
// that timed out, 128 + its number of a signal, 126 or 127 of what could not be started.

import { type Ending, isCharged } from "./attempt.ts";
import { misuse } from "./errors.ts";

/** Lists such as `75` or `75,100-110`. */
export interface ExitRules {
  /** Only these are retried; others die at once. */
  readonly retry_on?: string | undefined;
  /** These die at once. */
  readonly dead_on?: string | undefined;
  /** These complete the job; 0 when nothing is said. */
  readonly success_on?: string | undefined;
}

/** How such a list may be said: `75`, `"75,100-110"` or `[75, "100-110"]`. */
export type Statuses = number | string | readonly (number | string)[];

/** The same as a job has it. */
export const statusList = (said: Statuses): string => [said].flat().join(",");

const lists = ["success_on", "retry_on", "dead_on"] as const;

export function checkExitRules(rules: ExitRules): void {
  // Most jobs say nothing, and a list of jobs asks for each.
  if (lists.every((name) => rules[name] === undefined)) return;
  const given = lists.flatMap((name) => {
    const text = rules[name] ?? (name === "success_on" ? "0" : undefined);
    return text === undefined ? [] : [{ name, statuses: readStatuses(name, text) }];
  });
  for (let status = 0; status <= 255; status++) {
    const [first, second] = given.filter(({ statuses }) => statuses.has(status));
    if (!first || !second) continue;
    const implied = first.name === "success_on" && rules.success_on === undefined;
    throw misuse(
      implied
        ? `0 stands in ${second.name}, and is success`
        : `${status} stands in ${first.name} and in ${second.name}`,
      implied ? "success_on says what else is" : "one status means one thing",
    );
  }
}

/** Whether a run that ended so did what it should; what could not be started never did. */
export const isSuccess = (
  { success_on }: ExitRules,
  { result, exit_code }: Pick<Ending, "result" | "exit_code">,
): boolean =>
  isCharged(result) &&
  result !== "not_started" &&
  exit_code !== null &&
  (success_on === undefined
    ? exit_code === 0 && result === "exited"
    : has("success_on", success_on, exit_code));

/** Why a failed run is the job's last one, whatever retries are left; undefined when it is not. */
export function whyNoRetry({ retry_on, dead_on }: ExitRules, exit_code: number | null): string | undefined {
  if (exit_code === null) return undefined;
  if (dead_on !== undefined && has("dead_on", dead_on, exit_code)) return "dead_on names it";
  if (retry_on !== undefined && !has("retry_on", retry_on, exit_code)) return "retry_on does not name it";
  return undefined;
}

const has = (name: keyof ExitRules, list: string, status: number) => readStatuses(name, list).has(status);

/** How a list may be written, for messages. */
export const statusForms = "exit statuses from 0 to 255 such as 75 or 75,100-110";

const part = /^\s*(\d{1,3})\s*(?:-\s*(\d{1,3})\s*)?$/;

/** Nobody needs more to name any of 256. */
const longest = 1000;

/** The statuses a list names; undefined when the text is no such list. */
export function parseStatuses(text: string): ReadonlySet<number> | undefined {
  const statuses = new Set<number>();
  if (text.length > longest) return undefined;
  for (const one of text.split(",")) {
    const [, from, to = from] = part.exec(one) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (!(first <= last && last <= 255)) return undefined;
    for (let status = first; status <= last; status++) statuses.add(status);
  }
  return statuses;
}

/** The same of a list that has a name; refuses what is none. */
function readStatuses(name: string, text: unknown): ReadonlySet<number> {
  const statuses = typeof text === "string" ? parseStatuses(text) : undefined;
  if (!statuses) throw misuse(`${name} cannot be ${JSON.stringify(text)}: it is ${statusForms}`);
  return statuses;
}
