// What else may be said of how a job is run and judged. Most jobs say nothing of it; a rule that is not said is missing.

/** Keys as in a job's JSON. */
// biome-ignore lint/complexity/noBannedTypes: there is no rule yet
export type JobRules = {};

/** Refuses rules that cannot be. */
export function checkRules(_rules: JobRules): void {}
