// Jobs that come after others: what each waits for, and what becomes of it when one of those does not complete.

import { misuse } from "./errors.ts";
import { checkId } from "./id.ts";
import type { Job, JobState } from "./job.ts";
import { oneOf } from "./one-of.ts";

export const failurePolicies = ["cancel", "wait", "run"] as const;

/**
 * When the job that comes before dies or is cancelled, the one that comes after it is cancelled too; or waits until that one is retried and
 * completes; or runs all the same.
 */
export type FailurePolicy = (typeof failurePolicies)[number];

/** A job that another one comes after. */
export interface Parent {
  readonly id: string;
  readonly if_fails: FailurePolicy;
}

export type Relative = Pick<Job, "seq" | "id" | "state">;

/** The jobs around one. */
export interface Relatives {
  /** Those that it comes after and that are still there, the oldest first; `waits` as long as it waits for that one. */
  readonly after: readonly (Relative & Pick<Parent, "if_fails"> & { readonly waits: boolean })[];
  /** Those that come after it, the oldest first, as many as were asked for. */
  readonly before: readonly Relative[];
}

/** What becomes of a job that waits for another one which is settled. One that is removed counts as completed. */
export function verdictOf(if_fails: FailurePolicy, parent: JobState): "cancel" | "wait" | "go" {
  return parent === "completed" || if_fails === "run" ? "go" : if_fails;
}

/** The error of a job that is cancelled because of another one. */
export const parentFailed = ({ id, state }: Pick<Job, "id" | "state">) =>
  `job ${id}, which it comes after, is ${state}`;

const mostParents = 1000;

export function checkParents(after: readonly Parent[], own: string | undefined): void {
  if (after.length > mostParents) throw misuse(`a job comes after at most ${mostParents} others`);
  const ids = new Set<string>();
  for (const { id, if_fails } of after) {
    checkId(id);
    if (id === own) throw misuse(`job ${id} cannot come after itself`);
    if (ids.has(id)) throw misuse(`after names job ${id} twice`);
    oneOf("if_fails", String(if_fails), failurePolicies);
    ids.add(id);
  }
}
