// Moments, read and written.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { after, isoTime, parseIso, parseTime } from "../../src/domain/time.ts";

const lastMoment = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const anyMoment = fc.integer({ min: 0, max: lastMoment });
const now = Date.UTC(2026, 0, 1);

const strict = (text: string) => parseIso(text, { local: false });
const lenient = (text: string) => parseIso(text, { local: true });

const offset = fc.record({
  sign: fc.constantFrom("+", "-"),
  hours: fc.integer({ min: 0, max: 14 }),
  minutes: fc.integer({ min: 0, max: 59 }),
  form: fc.constantFrom("hh:mm", "hhmm", "hh"),
});

const two = (value: number) => String(value).padStart(2, "0");

let zone: string | undefined;
beforeEach(() => {
  zone = process.env.TZ;
});
afterEach(() => {
  process.env.TZ = zone ?? "UTC";
});

describe("an ISO 8601 text", () => {
  test("that was written reads back to the same moment", () => {
    fc.assert(
      fc.property(anyMoment, (moment) => {
        expect(strict(isoTime(moment))).toBe(moment);
        expect(lenient(isoTime(moment))).toBe(moment);
      }),
    );
  });

  test("of any place on earth names the same moment, whatever the zone here", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 86_400_000, max: lastMoment - 86_400_000 }),
        offset,
        (moment, { sign, hours, minutes, form }) => {
          process.env.TZ = "America/St_Johns";
          const used = form === "hh" ? 0 : minutes;
          const shift = (sign === "+" ? 1 : -1) * (hours * 60 + used) * 60_000;
          const wall = isoTime(moment + shift).slice(0, -1);
          const text = `${wall}${sign}${two(hours)}${{ "hh:mm": `:${two(used)}`, hhmm: two(used), hh: "" }[form]}`;
          expect(strict(text)).toBe(moment);
          expect(lenient(text)).toBe(moment);
        },
      ),
    );
  });

  test.each([
    ["2026-12-24T18:00:00Z", Date.UTC(2026, 11, 24, 18)],
    ["2026-12-24T18:00:00z", Date.UTC(2026, 11, 24, 18)],
    ["2026-12-24 18:00Z", Date.UTC(2026, 11, 24, 18)],
    ["2026-12-24 18:00 +01:00", Date.UTC(2026, 11, 24, 17)],
    ["2026-12-24T18:00+0530", Date.UTC(2026, 11, 24, 12, 30)],
    ["2026-12-24T18:00-08", Date.UTC(2026, 11, 25, 2)],
    ["2026-12-24Z", Date.UTC(2026, 11, 24)],
    ["2026-12-24T18:00:01.5Z", Date.UTC(2026, 11, 24, 18, 0, 1, 500)],
    ["2026-12-24T18:00:01,57Z", Date.UTC(2026, 11, 24, 18, 0, 1, 570)],
    ["2026-12-24T18:00:01.123999999Z", Date.UTC(2026, 11, 24, 18, 0, 1, 123)],
    ["2024-02-29T00:00Z", Date.UTC(2024, 1, 29)],
  ])("%j is understood", (text, moment) => {
    expect(strict(text)).toBe(moment);
  });

  test.each([
    "2026-02-30T00:00Z",
    "2026-02-29T00:00Z",
    "2026-04-31T00:00Z",
    "2026-13-01T00:00Z",
    "2026-00-10T00:00Z",
    "2026-01-00T00:00Z",
    "2026-01-01T24:00Z",
    "2026-01-01T25:00Z",
    "2026-01-01T00:60Z",
    "2026-01-01T00:00:60Z",
    "2026-01-01T00:00+15:00",
    "2026-01-01T00:00+01:60",
  ])("%s does not exist and is none", (text) => {
    expect(strict(text)).toBeUndefined();
  });

  test("of a date that no calendar has is none", () => {
    const daysIn = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).getUTCDate();
    const date = fc.record({
      year: fc.integer({ min: 1970, max: 9998 }),
      month: fc.integer({ min: 0, max: 99 }),
      day: fc.integer({ min: 0, max: 99 }),
    });
    fc.assert(
      fc.property(date, ({ year, month, day }) => {
        const exists = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
        const read = strict(`${year}-${two(month)}-${two(day)}T12:00:00Z`);
        expect(read).toBe(exists ? Date.UTC(year, month - 1, day, 12) : undefined);
      }),
    );
  });

  test.each([
    "",
    "now",
    "tomorrow",
    "2026",
    "2026-12",
    "2026-12-24T18Z",
    "20261224T180000Z",
    "12/24/2026",
    "1700000000",
    "2026-12-24T18:00ZZ",
    "2026-12-24T18:00:00.Z",
    " 2026-12-24T18:00Z",
    "2026-12-24T18:00Z\n",
    "+010000-01-01T00:00Z",
  ])("%j is none", (text) => {
    expect(lenient(text)).toBeUndefined();
  });

  test("before the first moment there is, it is that one: past is past", () => {
    process.env.TZ = "America/New_York";
    expect(strict("1969-12-31T23:59:59Z")).toBe(0);
    expect(lenient("1969-12-31T12:00")).toBe(0);
  });

  test("beyond the last moment there is, it is none, local or not", () => {
    process.env.TZ = "America/New_York";
    expect(strict("9999-12-31T23:59:59-01:00")).toBeUndefined();
    expect(lenient("9999-12-31T23:59")).toBeUndefined();
  });
});

describe("a time without an offset", () => {
  test("is refused where it must not be local", () => {
    fc.assert(
      fc.property(anyMoment, (moment) => {
        expect(strict(isoTime(moment).slice(0, -1))).toBeUndefined();
      }),
    );
    expect(strict("2026-12-24")).toBeUndefined();
  });

  test("is of this machine's zone where it may be local", () => {
    process.env.TZ = "Asia/Kolkata";
    expect(lenient("2026-12-24T18:00")).toBe(Date.UTC(2026, 11, 24, 12, 30));
    process.env.TZ = "America/New_York";
    expect(lenient("2026-12-24T18:00")).toBe(Date.UTC(2026, 11, 24, 23));
    expect(lenient("2026-07-01 18:00:05")).toBe(Date.UTC(2026, 6, 1, 22, 0, 5));
    expect(lenient("2026-12-24")).toBe(Date.UTC(2026, 11, 24, 5));
  });

  test("that a clock skips in spring is an hour later, not another day", () => {
    process.env.TZ = "Europe/Berlin";
    expect(lenient("2026-03-29T02:30")).toBe(Date.UTC(2026, 2, 29, 1, 30));
  });
});

describe("a typed time", () => {
  test("with a plus is so much later than now", () => {
    expect(parseTime("+10m", now)).toBe(now + 600_000);
    expect(parseTime("+90", now)).toBe(now + 90_000);
    expect(parseTime(" +1h30m ", now)).toBe(now + 5_400_000);
    expect(parseTime("+0", now)).toBe(now);
  });

  test("may be ISO 8601 with blanks around", () => {
    expect(parseTime(" 2026-12-24T18:00Z ", now)).toBe(Date.UTC(2026, 11, 24, 18));
  });

  test("is never past what ISO 8601 can write", () => {
    expect(parseTime("+999999999w", now)).toBe(lastMoment);
    fc.assert(
      fc.property(anyMoment, fc.double({ min: 0, max: 1e300, noNaN: true }), (moment, seconds) => {
        expect(isoTime(after(moment, seconds))).toMatch(/^\d{4}-/);
      }),
    );
  });

  test.each(["+", "+-5m", "++5m", "+ 10m", "-10m", "10m", "+10x", "+2026-12-24T18:00Z"])(
    "%j is none",
    (text) => {
      expect(parseTime(text, now)).toBeUndefined();
    },
  );
});

test("later by whole milliseconds is exact", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: now }), fc.nat(1e9), (moment, ms) => {
      expect(after(moment, ms / 1000)).toBe(moment + ms);
    }),
  );
});
