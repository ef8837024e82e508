// What may be said of a queue.

import { describe, expect, test } from "bun:test";
import {
  allQueues,
  checkLimits,
  formatRate,
  type Queue,
  readConcurrency,
  readRate,
} from "../../src/domain/queue.ts";

describe("a rate", () => {
  test("that is refused is said as it was typed", () => {
    for (const text of ["5/0s", "0/90m", "5/400d"])
      expect(() => readRate(text)).toThrow(`cannot be "${text}"`);
  });

  test.each([
    ["100/m", { starts: 100, per: 60 }, "100/m"],
    ["5/10s", { starts: 5, per: 10 }, "5/10s"],
    [" 1 / 90 ", { starts: 1, per: 90 }, "1/90s"],
    ["1000/1h30m", { starts: 1000, per: 5400 }, "1000/90m"],
    ["2/24h", { starts: 2, per: 86_400 }, "2/d"],
  ])("%s is read, and shown in its largest unit", (text, rate, shown) => {
    expect(readRate(text)).toEqual(rate);
    expect(formatRate(rate)).toBe(shown);
    expect(readRate(shown)).toEqual(rate);
  });

  test.each(["1/s", "1000000/d", "1/366d"])("%s is as much as can be", (text) => {
    expect(formatRate(readRate(text)!)).toBe(text);
  });

  test("that did not come as a text is looked at too", () => {
    expect(() => checkLimits({ rate: { starts: 0, per: 60 } })).toThrow('rate cannot be "0/m"');
    checkLimits({ rate: { starts: 1, per: 60 }, concurrency: 1 });
    checkLimits({ rate: null, concurrency: null });
  });

  test("none takes it away", () => {
    expect([readRate("none"), readConcurrency("none")]).toEqual([null, null]);
  });

  test.each(["", "5", "0/m", "1000001/m", "1/0.5s", "1/367d", "1/fortnight", "-1/m"])(
    "%j is refused, with what is one",
    (text) => {
      expect(() => readRate(text)).toThrow(
        /^rate cannot be .*: it is so many starts in a time, such as 100\/m/,
      );
    },
  );
});

test.each(["", "0", "-1", "1.5", "100001", "many"])("%j jobs at once are refused", (text) => {
  expect(() => readConcurrency(text)).toThrow(
    /^concurrency cannot be .*: it is a whole number from 1 to 100000/,
  );
});

test("as many jobs at once as can be are read, blanks around them or not", () => {
  expect(["1", " 100000 "].map(readConcurrency)).toEqual([1, 100_000]);
});

test("queues that have jobs and queues of which something was said are all of them, by name", () => {
  const counts = { queue: "b", pending: 2, processing: 1 } as Queue;
  const rules = { queue: "a", paused_at: 5, concurrency: null, rate: null };
  expect(allQueues([counts], [rules])).toMatchObject([
    { queue: "a", paused_at: 5, pending: 0, oldest_waiting_at: null },
    { queue: "b", paused_at: null, pending: 2, processing: 1 },
  ]);
});
