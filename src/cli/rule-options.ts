// The options that say how a job is run and judged, beside what it is.

import type { Backoff } from "../domain/backoff.ts";
import type { JobRules } from "../domain/rules.ts";
import { seconds } from "./values.ts";

export interface RuleOptions {
  readonly retryOn?: string;
  readonly deadOn?: string;
  readonly successOn?: string;
  readonly backoff?: string;
  readonly backoffBase?: string;
  readonly backoffMax?: string;
}

/** What the options say; what they do not say is missing. Whether it can be is the domain's business. */
export function rulesOf(options: RuleOptions): JobRules {
  const { backoffBase, backoffMax } = options;
  const said: JobRules = {
    retry_on: options.retryOn,
    dead_on: options.deadOn,
    success_on: options.successOn,
    backoff: options.backoff as Backoff | undefined,
    backoff_base: backoffBase === undefined ? undefined : seconds("backoff-base", backoffBase),
    backoff_max: backoffMax === undefined ? undefined : seconds("backoff-max", backoffMax),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
