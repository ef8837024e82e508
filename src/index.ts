// What other programs may import.

export type { Attempt, AttemptResult } from "./domain/attempt.ts";
export { Refusal, type RefusalKind } from "./domain/errors.ts";
export type { Job, JobState } from "./domain/job.ts";
export { attemptJson, jobJson } from "./domain/json.ts";
export type { Stats } from "./domain/stats.ts";
export type { JobEvent } from "./library/events.ts";
export type { QueuePlace } from "./library/place.ts";
export {
  type FollowOptions,
  type ListFilter,
  type OutputPiece,
  Queue,
} from "./library/queue.ts";
export type { After, Command, EnqueueOptions, JobWish } from "./library/request.ts";
export type { Patience } from "./library/until-all.ts";
