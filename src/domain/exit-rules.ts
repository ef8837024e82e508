// What a job's exit statuses mean, where the job says so itself. A status is what its attempt shows as `exit_code`: 124 of a run
// that timed out, 128 + its number of a signal, 126 or 127 of what could not be started.

import { type Ending, isCharged } from "./attempt.ts";
import { misuse } from "./errors.ts";
import { readStatuses } from "./status-list.ts";

/** Lists as in status-list.ts. */
export interface ExitRules {
  /** Only these are retried; others die at once. */
  readonly retry_on?: string | undefined;
  /** These die at once. */
  readonly dead_on?: string | undefined;
  /** These complete the job; 0 when nothing is said. */
  readonly success_on?: string | undefined;
}

const lists = ["success_on", "retry_on", "dead_on"] as const;

export function checkExitRules(rules: ExitRules): void {
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
