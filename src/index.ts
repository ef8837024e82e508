// What other programs may import: the queue of a home folder as a Store, and the words it speaks in.

export type { Attempt, AttemptResult, Ending } from "./domain/attempt.ts";
export { Refusal, type RefusalKind } from "./domain/errors.ts";
export { type Job, type JobRequest, type JobState, type NewJob, newJob } from "./domain/job.ts";
export { attemptJson, jobJson, workerJson } from "./domain/json.ts";
export type { Settings } from "./domain/settings.ts";
export type { Worker } from "./domain/worker.ts";
export { homeOf } from "./home.ts";
export { openStore } from "./store/open.ts";
export type { Store } from "./store/store.ts";
