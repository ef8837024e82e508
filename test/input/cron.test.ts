// The times of a cron text, held against a walk minute by minute through what the clock on the wall shows.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/domain/errors.ts";
import { firstTime, readCron } from "../../src/input/cron.ts";

const minute = 60_000;
const hour = 3_600_000;

/** So many times after a moment. */
function timesAfter(text: string, tz: string, after: string, count: number): string[] {
  const { next } = readCron(text, tz);
  const times: string[] = [];
  for (let time = next(Date.parse(after)); time !== null && times.length < count; time = next(time)) {
    times.push(new Date(time).toISOString().replace(".000Z", "Z"));
  }
  return times;
}

describe("times", () => {
  const cases: [text: string, tz: string, after: string, times: string[]][] = [
    ["30 2 * * *", "UTC", "2026-01-01T00:00Z", ["2026-01-01T02:30:00Z", "2026-01-02T02:30:00Z"]],
    ["*/20 * * * * *", "UTC", "2026-01-01T00:00:01Z", ["2026-01-01T00:00:20Z", "2026-01-01T00:00:40Z"]],
    ["0 9 * * MON-FRI", "America/New_York", "2026-01-02T15:00Z", ["2026-01-05T14:00:00Z"]],
    ["@daily", "Asia/Kolkata", "2026-01-01T00:00Z", ["2026-01-01T18:30:00Z"]],
    ["@Weekly", "UTC", "2026-01-01T00:00Z", ["2026-01-04T00:00:00Z"]],
    ["0 0 13 * 5", "UTC", "2026-03-07T00:00Z", ["2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z"]],
    ["0 0 29 2 *", "UTC", "2026-01-01T00:00Z", ["2028-02-29T00:00:00Z"]],
    ["0 0 L * *", "UTC", "2026-02-01T00:00Z", ["2026-02-28T00:00:00Z"]],
    // A field that begins with a star restricts no choice between the two: both have to hold.
    ["0 12 1-7 * */7", "UTC", "2026-03-02T00:00Z", ["2026-04-05T12:00:00Z", "2026-05-03T12:00:00Z"]],
    ["0 0 */2 * 1", "UTC", "2026-03-01T00:00Z", ["2026-03-09T00:00:00Z", "2026-03-23T00:00:00Z"]],
    ["0 0 ?/2 * MON", "UTC", "2026-03-01T00:00Z", ["2026-03-09T00:00:00Z"]],
    ["0 0 */2 * *", "UTC", "2026-03-01T00:00Z", ["2026-03-03T00:00:00Z"]],
    ["0 0 * * 7", "UTC", "2026-01-01T00:00Z", ["2026-01-04T00:00:00Z"]],
  ];
  for (const [text, tz, after, times] of cases) {
    test(`${text} in ${tz} after ${after}`, () => {
      expect(timesAfter(text, tz, after, times.length)).toEqual(times);
    });
  }
});

describe("where the clock is changed", () => {
  test("a time in the gap comes once, at the first moment that exists", () => {
    expect(timesAfter("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 2)).toEqual([
      "2026-03-29T01:00:00Z",
      "2026-03-30T00:30:00Z",
    ]);
  });

  test("several times in the gap come as one, also with what stands at its end", () => {
    expect(timesAfter("*/15 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 4)).toEqual([
      "2026-03-29T01:00:00Z",
      "2026-03-29T01:15:00Z",
      "2026-03-29T01:30:00Z",
      "2026-03-29T01:45:00Z",
    ]);
  });

  test("a time that comes twice is taken once, the first time", () => {
    expect(timesAfter("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", 2)).toEqual([
      "2026-10-25T00:30:00Z",
      "2026-10-26T01:30:00Z",
    ]);
    // Asked for between the two.
    expect(timesAfter("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10Z", 1)).toEqual([
      "2026-10-26T01:30:00Z",
    ]);
    expect(timesAfter("* * 2 * * *", "Europe/Berlin", "2026-10-25T01:10Z", 1)).toEqual([
      "2026-10-26T01:00:00Z",
    ]);
  });

  test("what runs in every hour neither pauses nor doubles", () => {
    const { next } = readCron("0,30 * * * *", "Europe/Berlin");
    for (const change of ["2026-03-29T01:00Z", "2026-10-25T01:00Z"]) {
      let time = Date.parse(change) - 5 * hour;
      for (let step = 0; step < 20; step++) {
        expect(next(time)).toBe(time + 30 * minute);
        time += 30 * minute;
      }
    }
  });

  test("a day that a zone leaves out is made up for when the next one begins", () => {
    // Samoa went from the 29th to the 31st of December 2011.
    expect(timesAfter("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", 3)).toEqual([
      "2011-12-29T22:00:00Z",
      "2011-12-30T10:00:00Z",
      "2011-12-30T22:00:00Z",
    ]);
  });
});

describe("refusals", () => {
  const texts = [
    "",
    "* * * *",
    "* * * * * * *",
    "70 * * * *",
    "@reboot",
    "@often",
    "a b c d e",
    "5/15 * * * *",
    "0 24 * * *",
  ];
  for (const text of texts) {
    test(`${JSON.stringify(text)} is refused with what is accepted`, () => {
      const refused = () => readCron(text, "UTC");
      expect(refused).toThrow(Refusal);
      expect(refused).not.toThrow(/croner|CronPattern/);
    });
  }

  test("a day or month out of range is told as it was typed", () => {
    const cases = { "0 0 0 * *": "day: 0", "0 0 1-32 * *": "day: 32", "0 0 32W * *": "day: 32" };
    const others = { "0 0 1 13 *": "month: 13", "0 0 1 0 *": "month: 0", "0 0 * * 8": "weekday: 8" };
    for (const [text, says] of Object.entries({ ...cases, ...others }))
      expect(() => readCron(text, "UTC")).toThrow(`invalid value for ${says}`);
  });

  test("a zone that there is not, and a time that never comes", () => {
    expect(() => readCron("@daily", "Mars/Olympus")).toThrow("Mars/Olympus");
    expect(() => firstTime("0 0 30 2 *", "UTC", 0)).toThrow("never comes");
  });
});

/** Berlin by the hour, Lord Howe by half of one, London around UTC itself, New York west, St John's odd, Havana at midnight. */
const zones = [
  "Europe/Berlin",
  "Australia/Lord_Howe",
  "Europe/London",
  "America/New_York",
  "America/St_Johns",
  "America/Havana",
  "Asia/Kolkata",
];

const clocks = new Map(
  zones.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat("en-CA", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    }),
  ]),
);

/** What the wall shows, as if it were UTC. */
function wallAt(tz: string, moment: number): number {
  const [year, month, day, hours, minutes] = clocks.get(tz)!.format(moment).match(/\d+/g)!.map(Number);
  return Date.UTC(year!, month! - 1, day, hours, minutes);
}

/** Minutes in which the wall clock of a zone jumps, over two years. */
function changesOf(tz: string): number[] {
  const changes: number[] = [];
  const lead = (moment: number) => wallAt(tz, moment) - moment;
  const end = Date.UTC(2028, 0, 1);
  for (let moment = Date.UTC(2026, 0, 1); moment < end; moment += hour / 2) {
    if (lead(moment) !== lead(moment - hour / 2)) changes.push(moment);
  }
  return changes;
}

interface Wanted {
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
}

const textOf = ({ hours, minutes }: Wanted) => `${minutes} ${hours.length === 24 ? "*" : hours} * * *`;

/** The rule as it is told to users, by looking at every minute. */
function walk({ hours, minutes }: Wanted, tz: string, from: number, to: number): number[] {
  const isWanted = (wall: number) =>
    hours.includes(new Date(wall).getUTCHours()) && minutes.includes(new Date(wall).getUTCMinutes());
  const shown: { moment: number; wall: number }[] = [];
  for (let moment = from; moment <= to; moment += minute) shown.push({ moment, wall: wallAt(tz, moment) });
  if (hours.length === 24) return shown.filter(({ wall }) => isWanted(wall)).map(({ moment }) => moment);
  const taken = new Set<number>();
  for (let wall = shown[0]!.wall; wall <= shown.at(-1)!.wall; wall += minute) {
    if (!isWanted(wall)) continue;
    const first = shown.find((one) => one.wall === wall) ?? shown.find((one) => one.wall > wall)!;
    taken.add(first.moment);
  }
  return [...taken].toSorted((a, b) => a - b);
}

for (const tz of zones) {
  test(`whatever the text, its times in ${tz} around a change of the clock are those of the walk`, () => {
    const changes = changesOf(tz);
    expect(changes.length).toBe(tz === "Asia/Kolkata" ? 0 : 4);
    const some = (values: number, most: number) =>
      fc.uniqueArray(fc.integer({ min: 0, max: values - 1 }), { minLength: 1, maxLength: most });
    const hours = fc.oneof(some(5, 4), some(24, 4), fc.constant(Array.from({ length: 24 }, (_, n) => n)));
    const wanted = fc.record({ hours, minutes: some(60, 4) });
    const around = fc.constantFrom(...changes, Date.UTC(2026, 5, 1));
    fc.assert(
      fc.property(wanted, around, (wanted, change) => {
        const from = change - 5 * hour;
        const to = change + 5 * hour;
        const { next } = readCron(textOf(wanted), tz);
        const times: number[] = [];
        for (let time = next(from - 1); time !== null && time <= to; time = next(time)) times.push(time);
        // The walk does not see what lies before it, nor which time a change far behind its end moves.
        expect(times).toEqual(walk(wanted, tz, from, to));
        // Wherever one begins to look, the next one is the same.
        for (let moment = from; moment < to; moment += 17 * minute) {
          expect(next(moment)! <= to ? next(moment)! : undefined).toBe(times.find((time) => time > moment));
        }
      }),
      { numRuns: 60 },
    );
  });
}
