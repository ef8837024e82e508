// Moments as people and programs write them. A moment is a number: milliseconds since 1970-01-01T00:00Z.

import { parseDuration } from "./duration.ts";

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?$/;

/** The last moment that ISO 8601 with a four-digit year can write. */
const lastMoment = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The moment an ISO 8601 text names. Without an offset it is local time where `local` is allowed, and
 * undefined elsewhere; a date that does not exist (30 February) is undefined too.
 */
export function parseIso(text: string, { local }: { local: boolean }): number | undefined {
  const match = iso.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const ms = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1000);
  const fields = [year!, month! - 1, day!, hour!, minute!, second!, ms] as const;
  const asUtc = Date.UTC(...fields);
  if (!names(new Date(asUtc), fields)) return undefined;
  const offset = match[8];
  if (offset === undefined && !local) return undefined;
  const moment = offset === undefined ? new Date(...fields).getTime() : asUtc - offsetMs(offset);
  if (Number.isNaN(moment) || moment > lastMoment) return undefined;
  // Whatever lies before is as past as the first moment we can store.
  return Math.max(0, moment);
}

/** A moment as typed on the command line: `+10m` from `now`, or ISO 8601, local without an offset. */
export function parseTime(text: string, now: number): number | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("+")) return parseIso(trimmed, { local: true });
  const seconds = parseDuration(trimmed.slice(1));
  return seconds === undefined ? undefined : after(now, seconds);
}

/** How a time may be typed, for messages. */
export const timeForms = "an ISO 8601 time such as 2026-12-24T18:00 or 2026-12-24T18:00:00Z, or +10m";

/** The moment `seconds` after another, never past what ISO 8601 can write. */
export const after = (moment: number, seconds: number) =>
  Math.min(moment + Math.round(seconds * 1000), lastMoment);

/** ISO 8601 in UTC, the form of every moment in JSON. What lies beyond the moments it can write reads as the last of them. */
export const isoTime = (moment: number) => new Date(Math.min(Math.max(moment, 0), lastMoment)).toISOString();

function names(date: Date, [year, month, day, hour, minute, second]: readonly number[]): boolean {
  return (
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  );
}

function offsetMs(offset: string): number {
  if (/^z$/i.test(offset)) return 0;
  const digits = offset.replace(":", "");
  const hours = Number(digits.slice(1, 3));
  const minutes = Number(digits.slice(3) || 0);
  if (hours > 14 || minutes > 59) return Number.NaN;
  return (digits[0] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
