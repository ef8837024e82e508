// How long a failed job waits: the formula, its cap, and its jitter.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type BackoffRules, backoffs, retryDelay } from "../../src/domain/backoff.ts";

const base = fc.double({ min: 0, max: 1000, noNaN: true });
const growing = fc.double({ min: 1, max: 1000, noNaN: true });
const cap = fc.double({ min: 0, max: 3.2e8, noNaN: true });
const retry = fc.integer({ min: 1, max: 1000 });
const dice = fc.double({ min: 0, max: 1, noNaN: true });
const exact = { backoff_base: 2, backoff_max: 3600, backoff_jitter: 0 };

describe("a job's own backoff", () => {
  test("is linear, or the same each time, or exponential", () => {
    const three = (rules: BackoffRules) => [1, 2, 3].map((n) => retryDelay(n, exact, 0.7, rules));
    expect(three({ backoff: "linear", backoff_base: 30 })).toEqual([30, 60, 90]);
    expect(three({ backoff: "fixed", backoff_base: 30 })).toEqual([30, 30, 30]);
    expect(three({ backoff: "exponential", backoff_base: 3 })).toEqual([3, 9, 27]);
    expect(three({ backoff_base: 3 })).toEqual([3, 9, 27]);
  });

  test("takes from the settings what the job does not say", () => {
    expect(retryDelay(5, exact, 0, { backoff: "linear" })).toBe(10);
    expect(retryDelay(5, { ...exact, backoff_max: 4 }, 0, { backoff: "linear" })).toBe(4);
  });

  test("never waits longer than its longest delay, but for the jitter", () => {
    const rules = fc.record({
      backoff: fc.constantFrom(...backoffs),
      backoff_base: base,
      backoff_max: fc.double({ min: 0, max: 1000, noNaN: true }),
    });
    fc.assert(
      fc.property(retry, rules, (n, one) => {
        expect(retryDelay(n, exact, 0.7, one)).toBeLessThanOrEqual(one.backoff_max);
      }),
    );
  });
});

describe("without jitter", () => {
  test("base 2 waits 2, 4, 8 seconds", () => {
    expect([1, 2, 3].map((n) => retryDelay(n, exact, 0.7))).toEqual([2, 4, 8]);
  });

  test("the delay before retry n is base ^ n, whatever the dice say", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 12 }), dice, (base, n, dice) => {
        const settings = { backoff_base: base, backoff_max: Number.MAX_VALUE, backoff_jitter: 0 };
        let product = 1;
        for (let i = 0; i < n; i++) product *= base;
        expect(retryDelay(n, settings, dice)).toBe(product);
      }),
    );
  });

  test("a base of 1 or more never waits shorter before a later retry", () => {
    fc.assert(
      fc.property(growing, cap, retry, dice, (backoff_base, backoff_max, n, dice) => {
        const settings = { backoff_base, backoff_max, backoff_jitter: 0 };
        expect(retryDelay(n + 1, settings, dice)).toBeGreaterThanOrEqual(retryDelay(n, settings, dice));
      }),
    );
  });

  test("no delay is longer than backoff_max, also where the power is beyond all numbers", () => {
    expect(retryDelay(1000, { ...exact, backoff_base: 1000 }, 1)).toBe(3600);
    fc.assert(
      fc.property(base, cap, retry, dice, (backoff_base, backoff_max, n, dice) => {
        const delay = retryDelay(n, { backoff_base, backoff_max, backoff_jitter: 0 }, dice);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(backoff_max);
      }),
    );
  });

  test("a base of 0 and a cap of 0 do not wait", () => {
    expect(retryDelay(1, { ...exact, backoff_base: 0 }, 1)).toBe(0);
    expect(retryDelay(5, { ...exact, backoff_max: 0 }, 1)).toBe(0);
  });
});

test("jitter comes on top of the delay, also on top of the longest one", () => {
  expect(retryDelay(3, { ...exact, backoff_jitter: 0.5 }, 0.5)).toBe(8.25);
  expect(retryDelay(30, { ...exact, backoff_jitter: 1 }, 0.5)).toBe(3600.5);
});

test("jitter never shortens a delay, and lengthens it by at most backoff_jitter seconds", () => {
  const jitter = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(retry, jitter, dice, (n, backoff_jitter, dice) => {
      const plain = retryDelay(n, exact, dice);
      const delay = retryDelay(n, { ...exact, backoff_jitter }, dice);
      expect(delay).toBeGreaterThanOrEqual(plain);
      expect(delay).toBeLessThanOrEqual(plain + backoff_jitter);
    }),
  );
});
