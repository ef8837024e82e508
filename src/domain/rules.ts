// What else may be said of how a job is run and judged. Most jobs say nothing of it; a rule that is not said is missing.

import { type BackoffRules, checkBackoff } from "./backoff.ts";
import { misuse } from "./errors.ts";
import { checkExitRules, type ExitRules } from "./exit-rules.ts";
import { checkLimits, type LimitRules } from "./limits.ts";
import { checkSecrets } from "./secret-env.ts";

/** Keys as in a job's JSON. */
export interface JobRules extends ExitRules, BackoffRules, LimitRules {
  /** Variables whose values are stored nowhere, as in secret-env.ts. */
  readonly secret_env?: readonly string[] | undefined;
  /** Whether stdout and stderr are kept apart, their order among each other given up. */
  readonly split?: boolean | undefined;
}

export const ruleNames = [
  "retry_on",
  "dead_on",
  "success_on",
  "backoff",
  "backoff_base",
  "backoff_max",
  "secret_env",
  "nice",
  "memory",
  "split",
] as const satisfies readonly (keyof JobRules)[];

/** What an attempt's output consists of: all of it is the first where they are not kept apart. */
export const streams = ["stdout", "stderr"] as const;
export type Stream = (typeof streams)[number];

export const streamsOf = ({ split }: JobRules): readonly Stream[] => (split ? streams : ["stdout"]);

/** Refuses rules that cannot be. */
export function checkRules(rules: JobRules): void {
  checkExitRules(rules);
  checkBackoff(rules);
  checkLimits(rules);
  if (rules.secret_env !== undefined) checkSecrets(rules.secret_env);
  if (rules.split !== undefined && typeof rules.split !== "boolean") {
    throw misuse(`split cannot be ${JSON.stringify(rules.split)}: it is true or false`);
  }
}
