// What a store refuses to do with a job, in the same words whichever store it is.

import { isEditedSince } from "../domain/edit.ts";
import { Refusal, shown } from "../domain/errors.ts";
import { isId } from "../domain/id.ts";
import { isSettled, isWaiting, type Job, type JobState } from "../domain/job.ts";
import type { JobChange } from "./matching.ts";

export const idTwice = (id: string) =>
  new Refusal("conflict", `the id ${id} is given to two jobs`, "give each its own, or leave it out");

export const idTaken = (id: string) =>
  new Refusal("conflict", `there already is a job ${id}`, "choose another id, or leave it out and get one");

export const noSuchJob = (wanted: string) =>
  new Refusal(
    "not_found",
    `there is no job ${isId(wanted) ? wanted : shown(wanted)}`,
    "queuectl list shows the jobs there are",
  );

/** Refuses a job that would come after one that is stored later: so none comes after itself by a detour. */
export const comesLater = (id: string, parent: string) =>
  new Refusal(
    "conflict",
    `job ${id} cannot come after ${parent}, which is enqueued later`,
    "put it behind that one",
  );

export const jobIsGone = () =>
  new Refusal("not_found", "the job is gone", "somebody else has just deleted it");

/** Refuses the start of an id that several have; `ids` are the first four of them at most. */
export const ambiguousId = (wanted: string, ids: readonly string[]) =>
  new Refusal(
    "ambiguous",
    `${wanted} could be ${ids.slice(0, 3).join(", ")}${ids.length > 3 ? " and more" : ""}`,
    "type more of the id",
  );

type RefusedJob = Pick<Job, "id" | "state">;

export const wrongState = ({ id, state }: RefusedJob, what: string, advice?: string) =>
  new Refusal("wrong_state", `job ${id} is ${state} and ${what}`, advice);

/** Refuses a job that is processing or, given `only`, not in that state. */
export function refuseUnless(job: RefusedJob, only: JobState | undefined, done: string): void {
  if (job.state === "processing")
    throw wrongState(job, `cannot be ${done}`, `queuectl cancel ${job.id} stops it first`);
  if (only !== undefined && job.state !== only) {
    throw wrongState(job, `is not ${only === "dead" ? "in the dead letter queue" : only}`);
  }
}

/** Refuses a job that does not wait; what is `done` to it says the message. */
export function refuseUnlessWaiting(job: RefusedJob, done: string): void {
  if (isWaiting(job.state)) return;
  throw wrongState(
    job,
    `cannot be ${done}`,
    job.state === "processing"
      ? `queuectl cancel ${job.id} stops it first`
      : `only jobs that wait can; queuectl retry ${job.id} runs it once more`,
  );
}

/** Refuses a job that was edited since somebody saw it: what they make of it would undo that. */
export function refuseIfEdited(job: Job, seen: Job): void {
  if (isEditedSince(job, seen)) throw editedMeanwhile(job);
}

export const editedMeanwhile = ({ id }: Pick<Job, "id">) =>
  new Refusal(
    "conflict",
    `job ${id} was changed meanwhile`,
    "see what it is now, and send what you typed again to have it so",
  );

type HoldableJob = RefusedJob & { readonly held: number | boolean };

/** Refuses the release of a job that nobody holds. */
export function refuseUnlessHeld(job: HoldableJob): void {
  if (!isWaiting(job.state) || !job.held) throw wrongState(job, "is not held");
}

/** Whether a change to all that match is done to this one. */
export function applies(change: JobChange, job: HoldableJob): boolean {
  switch (change) {
    case "retry":
    case "delete":
      return job.state !== "processing";
    case "cancel":
      return !isSettled(job.state);
    case "hold":
      return isWaiting(job.state) && !job.held;
    case "release":
      return isWaiting(job.state) && Boolean(job.held);
    default:
      return change satisfies never;
  }
}

/** Refuses a queue that was moved; `to` is where it is now, as messages call it. */
export const hasMoved = (to: string) =>
  new Refusal(
    "unusable",
    `this queue moved to ${to}`,
    "work there; queuectl migrate --undo opens this one again, as it was when it moved",
  );
