// What a caller hands over besides jobs: refused where it is no such thing, which would do something else, or nothing, without a word.

import { misuse } from "../domain/errors.ts";
import { jobStates } from "../domain/job.ts";
import type { JobFilter } from "../store/jobs.ts";

/** As a program writes it, and short. */
export const shownValue = (value: unknown) => Bun.inspect(value).slice(0, 60);

export function checkId(id: unknown): void {
  if (typeof id !== "string")
    throw misuse(`an id cannot be ${shownValue(id)}: it is a text, the id of a job or its beginning`);
}

/** One id or several. What yields them may do so only once. */
export function idsOf(ids: string | Iterable<string>): readonly string[] {
  if (typeof ids === "string") return [ids];
  if (!(Symbol.iterator in Object(ids)))
    throw misuse(`ids cannot be ${shownValue(ids)}: they are an id, or a list of them`);
  const all = [...ids];
  all.forEach(checkId);
  return all;
}

export function checkObject(options: unknown): asserts options is object {
  if (typeof options !== "object" || options === null)
    throw misuse(`options cannot be ${shownValue(options)}: they are an object`);
}

/** One that is misspelt would be left out without a word: a wait would have no end. */
export function checkOptions(options: unknown, names: readonly string[]): void {
  checkObject(options);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw misuse(`there is no option ${shownValue(unknown)}`, `there are ${names.join(", ")}`);
}

export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw misuse(`signal cannot be ${shownValue(signal)}: it is an AbortSignal`);
}

export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw misuse(`limit cannot be ${shownValue(limit)}: it is a number of jobs, 0 for all`);
}

/** A filter that is no such thing would find nothing, and one of another name everything. */
export function checkFilter(filter: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(filter)) {
    if (!filters.includes(name))
      throw misuse(
        `there is no filter ${shownValue(name)}`,
        `there are ${filters.join(", ")}, limit and onDamaged`,
      );
    if (value !== undefined && typeof value !== "string")
      throw misuse(`${name} cannot be ${shownValue(value)}: it is a text`);
  }
  const { state } = filter;
  if (state !== undefined && !jobStates.some((one) => one === state))
    throw misuse(`there is no state ${shownValue(state)}`, `the states are ${jobStates.join(", ")}`);
}

const filters: readonly string[] = ["state", "queue", "tag", "search"] satisfies (keyof JobFilter)[];

export function checkListener(name: string, listener: unknown): void {
  if (typeof listener !== "function")
    throw misuse(`${name} cannot be ${shownValue(listener)}: it is a function`);
}

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
