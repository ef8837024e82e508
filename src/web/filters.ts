// The filter that an address names.

import { misuse } from "../domain/errors.ts";
import { type JobState, jobStates } from "../domain/job.ts";
import type { JobFilter } from "../store/jobs.ts";

/** One of two would be passed over without a word. */
function said(query: URLSearchParams, name: string): string | undefined {
  const [text, another] = query.getAll(name);
  if (another !== undefined) throw misuse(`${name} is given twice`, "ask for one after the other");
  return text?.trim() || undefined;
}

export function filterOf(query: URLSearchParams): JobFilter {
  const state = said(query, "state");
  if (state !== undefined && !(jobStates as readonly string[]).includes(state)) {
    throw misuse(`there is no state ${JSON.stringify(state)}`, `the states are ${jobStates.join(", ")}`);
  }
  return {
    state: state as JobState | undefined,
    queue: said(query, "queue"),
    tag: said(query, "tag"),
    search: said(query, "q"),
  };
}

/** The filter of what is changed without a look at it. An empty part, as of a variable that is not set, would mean all of them. */
export function meantFilterOf(query: URLSearchParams): JobFilter {
  const empty = [...query].find(([, value]) => value.trim() === "");
  if (empty !== undefined) throw misuse(`${empty[0]} is empty`, "leave it out to mean all");
  return filterOf(query);
}

/** A whole number in a query, such as a place in a list. */
export function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = said(query, name);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw misuse(`${name} cannot be ${JSON.stringify(text)}: it is a whole number`);
}
