// Times on the wall become moments. Where the clock is set forward or back, a schedule that names its hours keeps to the wall: a time
// that does not exist comes at the first moment behind the gap, several of them at once come as one, and a time that comes twice is
// taken the first time. One that runs in every hour keeps to time as it passes, so that it neither pauses nor doubles for an hour.

import { formatDuration } from "./duration.ts";
import { changeIn, momentsOf, wallTime, type Zone } from "./zone.ts";

export interface WallTimes {
  /** The first wall time of the schedule after another; null when there never is one. */
  next(wall: number): number | null;
  /** Whether it runs in every hour of its days. */
  readonly everyHour: boolean;
}

export interface Occurrence {
  readonly at: number;
  /** What the schedule wanted the wall clock to show; it shows something else at `at` when that time does not exist. */
  readonly wall: number;
}

/** The first occurrence after a moment. */
export const occurrenceAfter = (times: WallTimes, zone: Zone, moment: number): Occurrence | null =>
  times.everyHour ? asTimePasses(times, zone, moment) : byTheWall(times, zone, moment);

function byTheWall(times: WallTimes, zone: Zone, moment: number): Occurrence | null {
  let wall = wallTime(zone, moment);
  const [first] = momentsOf(zone, wall).moments;
  // Between the two times that an hour comes, what is left of its first time is past.
  if (first !== undefined && first < moment) {
    const change = changeIn(zone, first, moment)!;
    wall = wallTime(zone, change - 1);
  }
  for (;;) {
    const next = times.next(wall);
    if (next === null) return null;
    const { moments, gapEnd } = momentsOf(zone, next);
    const at = moments[0] ?? gapEnd!;
    if (at > moment) return { at, wall: next };
    wall = next;
  }
}

function asTimePasses(times: WallTimes, zone: Zone, moment: number): Occurrence | null {
  let from = moment;
  for (let wallBefore = wallTime(zone, moment); ; ) {
    const wall = times.next(wallBefore);
    if (wall === null) return null;
    const at = wall - zone.offsetAt(from);
    const change = changeIn(zone, from, at);
    if (change === undefined) return { at, wall };
    from = change;
    wallBefore = wallTime(zone, change) - 1;
  }
}

/** What the changes of the clock have to do with an occurrence; null: nothing. `before` is the one before it. */
export function clockNote(zone: Zone, { at, wall }: Occurrence, before: number | undefined): string | null {
  const { moments, gapEnd } = momentsOf(zone, wall);
  const time = new Date(wall).toISOString().slice(11, 16);
  const shift = before === undefined ? 0 : zone.offsetAt(at) - zone.offsetAt(before);
  const notes = [
    ...(shift === 0
      ? []
      : [`the clock was set ${shift > 0 ? "forward" : "back"} by ${formatDuration(Math.abs(shift) / 1000)}`]),
    ...(gapEnd === undefined ? [] : [`there is no ${time} on this day`]),
    ...(moments.length < 2 ? [] : [`the ${at === moments[0] ? "first" : "second"} of two ${time}`]),
  ];
  return notes.length === 0 ? null : notes.join("; ");
}
