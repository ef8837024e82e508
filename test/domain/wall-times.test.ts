// What the changes of a clock have to do with the times of a schedule, and how a zone's clock shows them.

import { expect, test } from "bun:test";
import { clockNote } from "../../src/domain/wall-times.ts";
import { zonedText, zoneOf } from "../../src/domain/zone.ts";

const berlin = zoneOf("Europe/Berlin");
const hour = 3_600_000;

test("an ordinary time needs no word", () => {
  const at = Date.UTC(2026, 5, 1, 12);
  expect(clockNote(berlin, { at, wall: at + 2 * hour }, at - hour)).toBeNull();
  expect(clockNote(berlin, { at, wall: at + 2 * hour }, undefined)).toBeNull();
});

test("of a time that comes twice it is said which one it is, and that the clock was set back in between", () => {
  const wall = Date.UTC(2026, 9, 25, 2, 30);
  const first = Date.UTC(2026, 9, 25, 0, 30);
  expect(clockNote(berlin, { at: first, wall }, first - hour)).toBe("the first of two 02:30");
  expect(clockNote(berlin, { at: first + hour, wall }, first)).toBe(
    "the clock was set back by 1h; the second of two 02:30",
  );
});

test("of a time that does not come it is said that there is none", () => {
  const wall = Date.UTC(2026, 2, 29, 2, 30);
  const at = Date.UTC(2026, 2, 29, 1);
  expect(clockNote(berlin, { at, wall }, at - 24 * hour)).toBe(
    "the clock was set forward by 1h; there is no 02:30 on this day",
  );
});

test("a moment is shown as the clock of its zone shows it, with how far that is from UTC", () => {
  const moment = Date.UTC(2026, 0, 5, 22, 4, 9);
  const shown = (name: string) => zonedText(zoneOf(name), moment);
  expect(shown("UTC")).toBe("2026-01-05 22:04:09 +00:00");
  expect(shown("Asia/Kolkata")).toBe("2026-01-06 03:34:09 +05:30");
  expect(shown("America/St_Johns")).toBe("2026-01-05 18:34:09 -03:30");
});
