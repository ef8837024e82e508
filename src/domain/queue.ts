// What may be said of a queue: that it is paused, how many of its jobs run at once, and how many start within a time.

import { parseDuration } from "./duration.ts";
import { misuse } from "./errors.ts";
import { jobStates } from "./job.ts";
import type { QueueCounts } from "./overview.ts";

export interface QueueLimits {
  /** How many of its jobs may run at once; null for any number. */
  readonly concurrency: number | null;
  /** How many of its jobs may start in any time of that length; null for any number. */
  readonly rate: Rate | null;
}

export interface Rate {
  readonly starts: number;
  /** Seconds. */
  readonly per: number;
}

/** What was said of a queue. */
export interface QueueRules extends QueueLimits {
  readonly queue: string;
  /** Null unless it is paused: then no worker starts a job of it, and what runs goes on. */
  readonly paused_at: number | null;
}

/** A queue as a whole: its jobs, and what was said of it. */
export interface Queue extends QueueCounts, QueueRules {}

const mostAtOnce = 100_000;
const mostStarts = 1_000_000;
const longestRate = 366 * 86_400;

/** Refuses limits that cannot be. */
export function checkLimits({ concurrency = null, rate = null }: Partial<QueueLimits>): void {
  if (concurrency !== null && !isWithin(concurrency, mostAtOnce)) throw badConcurrency(String(concurrency));
  if (rate !== null && !isRate(rate)) throw badRate(formatRate(rate));
}

const isRate = ({ starts, per }: Rate) => isWithin(starts, mostStarts) && per >= 1 && per <= longestRate;

const isWithin = (value: number, most: number) => Number.isInteger(value) && value >= 1 && value <= most;

const badConcurrency = (text: string) =>
  misuse(
    `concurrency cannot be ${JSON.stringify(text)}: it is a whole number from 1 to ${mostAtOnce}, or none`,
    text === "0" ? "to let no job start: queuectl queue pause" : undefined,
  );

const badRate = (text: string) =>
  misuse(
    `rate cannot be ${JSON.stringify(text)}: it is so many starts in a time, such as 100/m, 5/10s or 1000/1h30m, or none`,
    `1 to ${mostStarts} starts, in one second to a year`,
  );

/** `2`, or `none`. */
export function readConcurrency(text: string): number | null {
  const value = text.trim();
  if (value === "none") return null;
  if (!/^\d{1,9}$/.test(value)) throw badConcurrency(text);
  checkLimits({ concurrency: Number(value) });
  return Number(value);
}

const perUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `100/m`, `5/10s`, or `none`. */
export function readRate(text: string): Rate | null {
  const value = text.trim();
  if (value === "none") return null;
  const [, starts, per] = /^(\d{1,9})\s*\/\s*(\S+)$/.exec(value) ?? [];
  const seconds = per === undefined ? undefined : (perUnit[per] ?? parseDuration(per));
  if (seconds === undefined) throw badRate(text);
  const rate = { starts: Number(starts), per: seconds };
  if (!isRate(rate)) throw badRate(text);
  return rate;
}

/** As `readRate` reads it: `100/m`, `5/10s`. */
export function formatRate({ starts, per }: Rate): string {
  const [unit, seconds] = Object.entries(perUnit).findLast(([, seconds]) => per % seconds === 0) ?? ["s", 1];
  return `${starts}/${per === seconds ? "" : per / seconds}${unit}`;
}

/** The queue of this name. Any name is a queue's: one that no job has named yet has none. */
export const queueNamed = (name: string, queues: readonly Queue[]): Queue =>
  queues.find(({ queue }) => queue === name) ?? { ...noJobs(name), ...nothingSaid(name) };

/** Queues that have jobs, and queues of which something was said, by name. */
export function allQueues(counts: readonly QueueCounts[], rules: readonly QueueRules[]): Queue[] {
  const said = new Map(rules.map((one) => [one.queue, one]));
  const counted = new Map(counts.map((one) => [one.queue, one]));
  const names = [...new Set([...counted.keys(), ...said.keys()])].sort();
  return names.map((queue) => ({
    ...(counted.get(queue) ?? noJobs(queue)),
    ...(said.get(queue) ?? nothingSaid(queue)),
  }));
}

export const nothingSaid = (queue: string): QueueRules => ({
  queue,
  paused_at: null,
  concurrency: null,
  rate: null,
});

const noJobs = (queue: string): QueueCounts => {
  const none = Object.fromEntries(jobStates.map((state) => [state, 0]));
  return { queue, ...none, oldest_waiting_at: null } as QueueCounts;
};
