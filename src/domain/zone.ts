// Time zones: what a wall clock shows at a moment, and when it is changed. What a wall clock shows is a number too: the milliseconds
// since 1970 that the same time would be in UTC.

import { misuse } from "./errors.ts";

export interface Zone {
  /** Such as `Europe/Berlin`, as the zone database spells it. */
  readonly name: string;
  /** How far its wall clock is ahead of UTC at a moment, in milliseconds. */
  offsetAt(moment: number): number;
}

const zones = new Map<string, Zone>();

/** Refuses a name that is not in the zone database. */
export function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known) return known;
  const offsets = formatOf(name);
  const zone: Zone = {
    name: offsets.resolvedOptions().timeZone,
    offsetAt: (moment) => offsetIn(offsets.format(moment)),
  };
  zones.set(name, zone);
  return zone;
}

/** The zone of this machine, or of `TZ`. */
export const ownZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  } catch {
    throw misuse(
      `there is no time zone ${JSON.stringify(timeZone)}`,
      "zones are named as Europe/Berlin, America/New_York or UTC",
    );
  }
}

/** Of `11/22/2026, GMT+05:30`; Greenwich's own has nothing behind it. */
function offsetIn(text: string): number {
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (!match) throw new Error(`a time zone's offset reads ${text}`);
  const [hours, minutes, seconds] = match.slice(2).map((digits) => Number(digits ?? 0));
  return (match[1] === "-" ? -1 : 1) * ((hours! * 60 + minutes!) * 60 + seconds!) * 1000;
}

export const wallTime = (zone: Zone, moment: number) => moment + zone.offsetAt(moment);

const day = 86_400_000;

/** The first moment in (from, to] at which the clock was changed. No zone changes it twice within a day. */
export function changeIn(zone: Zone, from: number, to: number): number | undefined {
  const before = zone.offsetAt(from);
  for (let last = from; last < to; ) {
    const next = Math.min(last + day, to);
    if (zone.offsetAt(next) !== before)
      return bisect(last, next, (moment) => zone.offsetAt(moment) !== before);
    last = next;
  }
  return undefined;
}

function bisect(no: number, yes: number, isSo: (moment: number) => boolean): number {
  let [low, high] = [no, yes];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isSo(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/**
 * The moments at which the wall clock shows a time, the earliest first: usually one; two where the clock is set back over it; none
 * where it is set forward over it, and then the first moment behind that gap is `gapEnd`.
 */
export function momentsOf(
  zone: Zone,
  wall: number,
): { readonly moments: readonly number[]; readonly gapEnd?: number } {
  // No zone is further from UTC than this, so one lies before the moment and one behind.
  const offsets = new Set([zone.offsetAt(wall - day), zone.offsetAt(wall + day)]);
  const moments = [...offsets]
    .map((offset) => wall - offset)
    .filter((moment) => wallTime(zone, moment) === wall)
    .toSorted((a, b) => a - b);
  if (moments.length > 0) return { moments };
  return { moments, gapEnd: changeIn(zone, wall - day, wall + day)! };
}

/** `2026-03-29 03:00:00 +02:00`: a moment as the wall clock of a zone shows it. */
export function zonedText(zone: Zone, moment: number): string {
  const offset = zone.offsetAt(moment) / 60_000;
  const two = (n: number) => String(Math.floor(Math.abs(n))).padStart(2, "0");
  const wall = new Date(moment + zone.offsetAt(moment)).toISOString();
  return `${wall.slice(0, 10)} ${wall.slice(11, 19)} ${offset < 0 ? "-" : "+"}${two(offset / 60)}:${two(offset % 60)}`;
}
