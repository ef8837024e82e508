// What else may be said of how a job is run and judged. Most jobs say nothing of it; a rule that is not said is missing.

import { type BackoffRules, checkBackoff } from "./backoff.ts";
import { checkExitRules, type ExitRules } from "./exit-rules.ts";
import { checkLimits, type LimitRules } from "./limits.ts";
import { checkSecrets } from "./secret-env.ts";

/** Keys as in a job's JSON. */
export interface JobRules extends ExitRules, BackoffRules, LimitRules {
  /** Variables whose values are stored nowhere, as in secret-env.ts. */
  readonly secret_env?: readonly string[] | undefined;
}

/** Refuses rules that cannot be. */
export function checkRules(rules: JobRules): void {
  checkExitRules(rules);
  checkBackoff(rules);
  checkLimits(rules);
  if (rules.secret_env !== undefined) checkSecrets(rules.secret_env);
}
