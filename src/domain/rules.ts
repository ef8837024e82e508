// What else may be said of how a job is run and judged. Most jobs say nothing of it; a rule that is not said is missing.

import { type BackoffRules, checkBackoff } from "./backoff.ts";
import { checkExitRules, type ExitRules } from "./exit-rules.ts";

/** Keys as in a job's JSON. */
export interface JobRules extends ExitRules, BackoffRules {}

/** Refuses rules that cannot be. */
export function checkRules(rules: JobRules): void {
  checkExitRules(rules);
  checkBackoff(rules);
}
