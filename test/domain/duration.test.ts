// Lengths of time, typed and shown.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, formatElapsed, parseDuration, written } from "../../src/domain/duration.ts";

const unitSeconds = { d: 86_400, h: 3600, m: 60, s: 1, ms: 0.001 };

/** What `formatDuration` writes, read as a person reads it. */
const readBack = (shown: string) => parseDuration(shown.replaceAll(" ", ""));

describe("a typed duration", () => {
  test.each([
    ["90", 90],
    ["0", 0],
    ["1.5", 1.5],
    ["90s", 90],
    ["10m", 600],
    ["1h30m", 5400],
    ["1.5h", 5400],
    ["2d", 172_800],
    ["1w", 604_800],
    ["250ms", 0.25],
    ["1m1ms", 60.001],
    ["0.1s0.2s", 0.3],
    ["007s", 7],
  ])("%j is %d seconds", (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  test.each([
    "",
    " ",
    "s",
    "10x",
    "-5",
    "+5",
    "1h-30m",
    "5 s",
    "1,5h",
    ".5s",
    "5.",
    "1e3",
    "0x10",
    "NaN",
    "Infinity",
    "٣s",
    "10m\n",
  ])("%j is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test("a number too long for any clock is none", () => {
    expect(parseDuration("9".repeat(400))).toBeUndefined();
    expect(parseDuration(`${"9".repeat(400)}h`)).toBeUndefined();
  });

  test("a duration too short to be rounded to milliseconds does not become 0, which may mean no limit", () => {
    expect(parseDuration("0.4ms")).toBe(0.0004);
  });

  test("whole amounts of units add up, in any order", () => {
    const amount = fc.tuple(fc.constantFrom("d", "h", "m", "s", "ms"), fc.nat(10_000));
    fc.assert(
      fc.property(fc.array(amount, { minLength: 1, maxLength: 6 }), (amounts) => {
        const text = amounts.map(([unit, count]) => `${count}${unit}`).join("");
        const ms = amounts.reduce(
          (sum, [unit, count]) => sum + Math.round(unitSeconds[unit as "d"] * 1000) * count,
          0,
        );
        expect(parseDuration(text)).toBe(ms / 1000);
      }),
    );
  });

  test("a bare number is that many seconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), fc.nat(999), (whole, thousandths) => {
        const text = `${whole}.${String(thousandths).padStart(3, "0")}`;
        expect(parseDuration(text)).toBe(Number(text));
      }),
    );
  });
});

describe("a shown duration", () => {
  test.each([
    [0, "0 s"],
    [0.0000123, "0.0123 ms"],
    [0.003, "3 ms"],
    [0.1, "0.1 s"],
    [0.42, "0.42 s"],
    [9.996, "10 s"],
    [12, "12 s"],
    [12.34, "12.3 s"],
    [59.94, "59.9 s"],
    [59.97, "1m"],
    [90, "1m 30s"],
    [3600, "1h"],
    [3599.6, "1h"],
    [7500, "2h 5m"],
    [3 * 86_400 + 4 * 3600 + 59 * 60, "3d 4h"],
    [86_400, "1d"],
    [86_400 + 59, "1d"],
    [-90, "-1m 30s"],
  ])("%d seconds read %j", (seconds, shown) => {
    expect(formatDuration(seconds)).toBe(shown);
  });

  test("is never a false zero", () => {
    fc.assert(
      fc.property(fc.double({ min: Number.MIN_VALUE, max: 60, noNaN: true }), (seconds) => {
        expect(formatDuration(seconds)).not.toMatch(/^0 /);
      }),
    );
  });

  test("has at most two units, each below the next one's size", () => {
    fc.assert(
      fc.property(fc.double({ min: 60, max: 3.2e9, noNaN: true }), (seconds) => {
        const shown = formatDuration(seconds);
        expect(shown).toMatch(/^(\d+d( \d+h)?|\d+h( \d+m)?|\d+m( \d+s)?)$/);
        expect(Number(/(\d+)h/.exec(shown)?.[1] ?? 0)).toBeLessThan(24);
        expect(Number(/(\d+)m/.exec(shown)?.[1] ?? 0)).toBeLessThan(60);
        expect(Number(/(\d+)s/.exec(shown)?.[1] ?? 0)).toBeLessThan(60);
      }),
    );
  });

  test("read back it is what it was, where two units can say it", () => {
    const twoUnits = fc.oneof(
      fc.integer({ min: 60, max: 3599 }),
      fc.integer({ min: 60, max: 1439 }).map((minutes) => minutes * 60),
      fc.integer({ min: 24, max: 100_000 }).map((hours) => hours * 3600),
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 99 }).map((ms) => ms / 1000),
    );
    fc.assert(fc.property(twoUnits, (seconds) => expect(readBack(formatDuration(seconds))).toBe(seconds)));
  });

  test("read back it is off by less than its smaller unit", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 3.2e9, noNaN: true }), (seconds) => {
        const off = Math.abs(readBack(formatDuration(seconds))! - seconds);
        expect(off).toBeLessThanOrEqual(
          seconds < 3600 ? Math.max(0.5, seconds * 0.01) : seconds < 86_400 ? 60 : 3600,
        );
      }),
    );
  });
});

test("a time that has passed is told in whole seconds, and a moment to come as now", () => {
  expect(formatElapsed(1_000, 91_400)).toBe("1m 30s");
  expect(formatElapsed(5_000, 1_000)).toBe(formatElapsed(1_000, 1_000));
});

test("seconds in a message are said in words too where they are many", () => {
  expect([59, 60, 1200, Number.NaN].map(written)).toEqual(["59", "60 (1m)", "1200 (20m)", "NaN"]);
});
