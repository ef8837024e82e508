// What may be said of how a job is run and judged, and what is refused.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/domain/errors.ts";
import { parseStatuses } from "../../src/domain/exit-rules.ts";
import { ruleFacts } from "../../src/domain/rule-words.ts";
import { checkRules, type JobRules } from "../../src/domain/rules.ts";

const refusal = (rules: object): string => {
  try {
    checkRules(rules as JobRules);
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(rules)}`);
};

describe("a list of exit statuses", () => {
  test("is numbers and ranges with commas between", () => {
    expect([...parseStatuses("75,100-102")!]).toEqual([75, 100, 101, 102]);
    expect([...parseStatuses(" 0 , 3 - 4 ")!]).toEqual([0, 3, 4]);
    expect([...parseStatuses("007")!]).toEqual([7]);
    expect(parseStatuses("0-255")!.size).toBe(256);
    const sevens = (count: number) => Array(count).fill("7").join(",");
    expect([parseStatuses(sevens(500))?.size, parseStatuses(sevens(501))]).toEqual([1, undefined]);
  });

  test.each(["", " ", ",", "1,", "-1", "1-", "5-4", "256", "1-256", "1 2", "0x10", "1.5", "all", "1,2;3"])(
    "is not %p",
    (text) => {
      expect(parseStatuses(text)).toBeUndefined();
    },
  );

  test("of any text names nothing but exit statuses, or is refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789,- ") }), (text) => {
        for (const status of parseStatuses(text) ?? []) {
          expect(status).toBeWithin(0, 256);
        }
      }),
    );
  });
});

const tenYears = 10 * 366 * 86_400;

describe("rules", () => {
  test("may all be said at once", () => {
    checkRules({
      retry_on: "75,100-110",
      dead_on: "2",
      success_on: "0,3",
      backoff: "fixed",
      backoff_base: 1800,
      backoff_max: 3600,
      nice: 19,
      memory: 1024 ** 2,
    });
    checkRules({});
    checkRules({ nice: 0, memory: 1024 ** 4, backoff_base: 1000 });
    for (const backoff_base of [0, tenYears]) checkRules({ backoff: "fixed", backoff_base });
  });

  test.each([
    [{ retry_on: "75", dead_on: "70-80" }, "75 stands in retry_on and in dead_on"],
    [{ success_on: "3", retry_on: "1-5" }, "3 stands in success_on and in retry_on"],
    [{ success_on: "0,3", dead_on: "3" }, "3 stands in success_on and in dead_on"],
    [{ retry_on: "255", dead_on: "255" }, "255 stands in retry_on and in dead_on"],
    [{ dead_on: "0-255" }, "0 stands in dead_on, and is success"],
    [{ retry_on: "75-74" }, 'retry_on cannot be "75-74": it is exit statuses from 0 to 255'],
    [{ success_on: "" }, 'success_on cannot be "": it is exit statuses'],
    [{ dead_on: 7 }, "dead_on cannot be 7: it is exit statuses"],
    [{ backoff: "quadratic" }, 'backoff cannot be "quadratic": it is exponential, linear, fixed'],
    [
      { backoff_base: 1001 },
      "backoff_base cannot be 1001 (16m 41s): where delays are exponential it is a number from 0 to 1000",
    ],
    [{ backoff: "fixed", backoff_base: -1 }, "backoff_base cannot be -1: it is 0 to"],
    [{ backoff: "linear", backoff_base: Number.NaN }, "backoff_base cannot be NaN"],
    [{ backoff: "fixed", backoff_base: tenYears + 1 }, "it is 0 to 3660d"],
    [{ backoff_base: -1 }, "backoff_base cannot be -1"],
    [{ backoff_max: -1 }, "backoff_max cannot be -1"],
    [{ nice: -1 }, "nice cannot be -1: it is a whole number from 0 to 19"],
    [{ nice: 20 }, "nice cannot be 20"],
    [{ memory: 1024 ** 2 - 1 }, "memory cannot be 1048575"],
    [{ memory: 1024 ** 4 + 1 }, "memory cannot be"],
  ])("%j are refused", (rules, message) => {
    expect(refusal(rules)).toContain(message);
  });

  test("that make 0 a failure may name it elsewhere", () => {
    checkRules({ success_on: "3", dead_on: "0" });
  });

  test("are told in words", () => {
    expect(ruleFacts({})).toEqual([]);
    expect(ruleFacts({ dead_on: "2", backoff: "linear", backoff_base: 30, backoff_max: 3600 })).toEqual([
      ["dead on", "2"],
      ["backoff", "linear, 30 s × n, at most 1h"],
    ]);
    expect(ruleFacts({ backoff_base: 1.5 })).toEqual([["backoff", "1.5 ^ n s"]]);
  });
});
