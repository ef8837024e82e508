// Texts of options as values; what they do not accept is refused by name.

import { durationForms, parseDuration } from "../domain/duration.ts";
import { misuse } from "../domain/errors.ts";
import { type JobState, jobStates } from "../domain/job.ts";
import { didYouMean } from "../domain/nearest.ts";
import { parseTime, timeForms } from "../domain/time.ts";

/** A whole number from `min` to `max`. */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw misuse(`--${name} cannot be ${JSON.stringify(text)}: it is a whole number from ${min} to ${max}`);
}

/** Seconds. */
export function seconds(name: string, text: string): number {
  const value = parseDuration(text);
  if (value === undefined)
    throw misuse(`--${name} cannot be ${JSON.stringify(text)}: it is ${durationForms}`);
  return value;
}

/** A moment. */
export function moment(name: string, text: string, now: number): number {
  const value = parseTime(text, now);
  if (value === undefined) throw misuse(`--${name} cannot be ${JSON.stringify(text)}: it is ${timeForms}`);
  return value;
}

function jobState(text: string): JobState {
  const state = jobStates.find((known) => known === text);
  if (state) return state;
  const accepted = `the states are ${jobStates.join(", ")}`;
  const near = didYouMean(text, jobStates);
  throw misuse(`there is no state ${JSON.stringify(text)}`, near ? `${near} ${accepted}` : accepted);
}

/** One or several, with commas between; each once. */
export const statesIn = (text: string): readonly JobState[] => [
  ...new Set(text.split(",").map((name) => jobState(name.trim()))),
];

/** `K=V`, or `K` for the value it has here. */
export function variable(text: string, environment: Readonly<Record<string, string>>): [string, string] {
  const equals = text.indexOf("=");
  if (equals >= 0) return [text.slice(0, equals), text.slice(equals + 1)];
  const value = environment[text];
  if (value === undefined)
    throw misuse(`--env ${text}: there is no such variable here`, "give it a value: --env K=V");
  return [text, value];
}
