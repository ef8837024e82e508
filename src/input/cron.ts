// A cron text from outside: which times on the wall it means is croner's business, which moments those are wall-times.ts's.

import { Cron } from "croner";
import { misuse, shown } from "../domain/errors.ts";
import type { NewSchedule, NextTime } from "../domain/schedule.ts";
import { type Occurrence, occurrenceAfter, type WallTimes } from "../domain/wall-times.ts";
import { zoneOf } from "../domain/zone.ts";

export interface CronTimes {
  readonly next: NextTime;
  /** The same, with what the wall clock was wanted to show. */
  occurrence(after: number): Occurrence | null;
}

const nicknames: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

const forms =
  "five fields (minute hour day month weekday) such as '30 2 * * 1-5', six with seconds in front, or @daily";

/** The times of a cron text in a zone; refuses what it cannot read. */
export function readCron(text: string, tz: string): CronTimes {
  const zone = zoneOf(tz);
  const times = wallTimesOf(text);
  const occurrence = (after: number) => occurrenceAfter(times, zone, after);
  return { occurrence, next: (after) => occurrence(after)?.at ?? null };
}

/** The first time of a new schedule; refuses one that never comes. */
export function firstTime(text: string, tz: string, now: number): number {
  const next = readCron(text, tz).next(now);
  if (next === null) throw misuse(`the time ${shown(text)} never comes`, "look at its day and month");
  return next;
}

/** The times of a schedule that come next, at most so many; none of one that is paused, or never comes. */
export function timesOf({ cron, tz, next_at }: Pick<NewSchedule, "cron" | "tz" | "next_at">, count: number) {
  const times: number[] = [];
  if (next_at === null) return times;
  const { next } = readCron(cron, tz);
  for (let time = next(next_at - 1); time !== null && times.length < count; time = next(time))
    times.push(time);
  return times;
}

function wallTimesOf(text: string): WallTimes {
  const fields = fieldsOf(text);
  const cron = patternOf(fields, text);
  return {
    next: (wall) => cron.nextRun(new Date(wall))?.getTime() ?? null,
    everyHour: /^(\*|\?|0-23)(\/1)?$/.test(fields.at(-4)!),
  };
}

function fieldsOf(text: string): string[] {
  const trimmed = text.trim();
  if (/^@reboot$/i.test(trimmed)) {
    throw misuse("@reboot is no time", "let what starts the machine say queuectl enqueue");
  }
  const fields = (nicknames.get(trimmed.toLowerCase()) ?? trimmed).split(/\s+/);
  if (fields.length === 5 || fields.length === 6) return fields;
  throw misuse(`the time ${shown(text)} cannot be read`, `it is ${forms}`);
}

function patternOf(fields: readonly string[], text: string): Cron {
  const [day, weekday] = [fields.at(-3)!, fields.at(-1)!];
  try {
    return new Cron(fields.join(" "), {
      // What the wall shows is given to it as if it were UTC, where no clock is ever changed.
      utcOffset: 0,
      mode: "5-or-6-parts",
      paused: true,
      // crontab(5): of two that are restricted either is enough, and one that begins with a star is not restricted, whatever its step.
      domAndDow: [day, weekday].some((field) => /^[*?]./.test(field)),
    });
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw misuse(`the time ${shown(text)} cannot be read: ${reasonOf(error)}`, `it is ${forms}`);
  }
}

/** What croner says, without its names for itself and for a field, and with days and months counted from 1. */
const reasonOf = ({ message }: Error) => {
  const reason = message
    .replace(/^CronPattern: /, "")
    .replace(/\.$/, "")
    .replace("dayOfWeek", "weekday")
    .replace("nearestWeekdays", "day")
    .replace(/(?<= (?:day|month): )-?\d+$/, (index) => `${Number(index) + 1}`);
  return reason.charAt(0).toLowerCase() + reason.slice(1);
};
