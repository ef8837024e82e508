// A running command may ask to be run again after a while, at no cost to its retries: it looked, and there was nothing to do yet.

import type { Ending } from "./attempt.ts";
import { formatDuration, written } from "./duration.ts";
import { misuse } from "./errors.ts";

/** Runs in a row that may end so: a command that asks for ever goes on to fail by its own exit status. */
export const mostSnoozes = 1000;

/** Seconds. */
const longest = 366 * 86_400;

/** Refuses a duration that a job cannot be put off for. */
export function checkSnooze(seconds: number): void {
  if (seconds >= 0 && seconds <= longest) return;
  throw misuse(`the duration cannot be ${written(seconds)}: it is 0 to ${formatDuration(longest)}`);
}

/** An ending as it counts, by how long the command asked to be put off for, if it did: what was killed or timed out has failed. */
export const endingAfter = (snooze: number | null, ending: Ending): Ending =>
  snooze === null || ending.result !== "exited" ? ending : { ...ending, result: "snoozed", error: null };
