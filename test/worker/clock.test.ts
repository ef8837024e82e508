// That the wall clock was set back is noticed once, and not forgotten before somebody knows of it.

import { afterEach, expect, setSystemTime, test } from "bun:test";
import { watchClock } from "../../src/worker/clock.ts";

const hour = 3_600_000;

afterEach(() => void setSystemTime());

test("a clock that goes on, or is set forward, or drifts by less than a second, was not set back", async () => {
  const look = watchClock(async () => expect.unreachable());
  await look();
  const before = Date.now();
  setSystemTime(before + hour);
  await look();
  setSystemTime(before + hour - 500);
  await look();
});

test("a clock that was set back is told of once, with how far", async () => {
  const told: number[] = [];
  const look = watchClock(async (ms) => void told.push(ms));
  setSystemTime(Date.now() - hour);
  await look();
  await look();
  expect(told.map((ms) => Math.round(ms / 60_000))).toEqual([60]);
  setSystemTime(Date.now() - 2 * hour);
  await look();
  expect(told.map((ms) => Math.round(ms / 60_000))).toEqual([60, 120]);
});

test("what could not be passed on is passed on by the next look", async () => {
  const told: number[] = [];
  const look = watchClock(async (ms) => {
    told.push(ms);
    if (told.length === 1) throw new Error("the database does not answer");
  });
  setSystemTime(Date.now() - hour);
  await expect(look()).rejects.toThrow("does not answer");
  await look();
  await look();
  expect(told.map((ms) => Math.round(ms / 60_000))).toEqual([60, 60]);
});
