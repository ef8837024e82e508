// What a caller hands over besides jobs: refused where it is no such thing, which would do something else, or nothing, without a word.

import { misuse } from "../domain/errors.ts";
import { jobStates } from "../domain/job.ts";
import type { JobFilter } from "../store/jobs.ts";
import { shownValue } from "./request.ts";

export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw misuse(`limit cannot be ${shownValue(limit)}: it is a number of jobs, 0 for all`);
}

/** A filter that is no such thing would find nothing, and one of another name everything. */
export function checkFilter(filter: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(filter)) {
    if (!filters.includes(name))
      throw misuse(`there is no filter ${shownValue(name)}`, `there are ${filters.join(", ")} and limit`);
    if (value !== undefined && typeof value !== "string")
      throw misuse(`${name} cannot be ${shownValue(value)}: it is a text`);
  }
  const { state } = filter;
  if (state !== undefined && !jobStates.some((one) => one === state))
    throw misuse(`there is no state ${shownValue(state)}`, `the states are ${jobStates.join(", ")}`);
}

const filters: readonly string[] = ["state", "queue", "tag", "search"] satisfies (keyof JobFilter)[];

export function checkFrom(from: number): void {
  if (!Number.isSafeInteger(from) || from < 1)
    throw misuse(`from cannot be ${shownValue(from)}: it is the number of an attempt, 1 for the first`);
}

export function checkTimeout(timeout: number | undefined): void {
  if (timeout !== undefined && (typeof timeout !== "number" || Number.isNaN(timeout)))
    throw misuse(`timeout cannot be ${shownValue(timeout)}: it is a number of seconds`);
}

export function checkSource(jobs: unknown): void {
  const source = Object(jobs);
  if (!(Symbol.iterator in source || Symbol.asyncIterator in source))
    throw misuse(`jobs cannot be ${shownValue(jobs)}: they are a list, or something else that yields them`);
}
