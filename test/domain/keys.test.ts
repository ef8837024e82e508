// Keys by which jobs have to do with each other: which are the same, and what is none.

import { describe, expect, test } from "bun:test";
import { Refusal } from "../../src/domain/errors.ts";
import { checkKey, checkUnique, uniqueIn, uniqueOf } from "../../src/domain/keys.ts";

test("a key is what fits on a line", () => {
  for (const key of ["a", "/data/in file.mov", "https://example.org/?q=1", "x".repeat(200)]) checkKey(key);
  for (const key of ["", " ", "two\nlines", "x".repeat(201), "\ud800"])
    expect(() => checkKey(key)).toThrow(Refusal);
});

describe("a job that is enqueued once", () => {
  test("says so by a key, by a time, or by true", () => {
    expect(uniqueIn({ unique: "k" })).toEqual({ key: "k", seconds: 0 });
    expect(uniqueIn({ unique: true })).toEqual({ key: undefined, seconds: 0 });
    expect(uniqueIn({ unique_for: 60 })).toEqual({ key: undefined, seconds: 60 });
    expect(uniqueIn({ unique: "k", unique_for: 60 })).toEqual({ key: "k", seconds: 60 });
  });

  test("is not, where nothing is said of it, or no", () => {
    expect(uniqueIn({})).toBeUndefined();
    expect(uniqueIn({ unique: null })).toBeUndefined();
    expect(uniqueIn({ unique: false, unique_for: 60 })).toBeUndefined();
  });

  test("is the same by its command, queue and directory where it has no key", () => {
    const once = { key: undefined, seconds: 0 };
    const job = { command: "make", queue: "default", cwd: "/a" };
    const { key } = uniqueOf(job, once);
    expect(uniqueOf({ command: "make", cwd: "/a" }, once).key).toBe(key);
    for (const other of [{ command: "make all" }, { queue: "q" }, { cwd: "/b" }])
      expect(uniqueOf({ ...job, ...other }, once).key).not.toBe(key);
  });

  test("is the same by its key alone where it has one, and never as one without", () => {
    const own = uniqueOf({ command: "make", cwd: "/a" }, { key: "k", seconds: 0 });
    expect(uniqueOf({ command: "other", cwd: "/b" }, { key: "k", seconds: 0 })).toEqual(own);
    const { key } = uniqueOf({ command: "make" }, { seconds: 0 });
    expect(uniqueOf({ command: "make" }, { key, seconds: 0 }).key).not.toBe(key);
  });

  test("counts for a year at most, and by a key that is one", () => {
    const year = 366 * 86_400;
    for (const seconds of [0, year]) checkUnique(uniqueOf({ command: "make" }, { key: "k", seconds }));
    for (const seconds of [-1, year + 1, Number.NaN])
      expect(() => checkUnique({ key: "key k", seconds })).toThrow("unique_for cannot be");
    expect(() => checkUnique(uniqueOf({ command: "make" }, { key: "two\nlines", seconds: 0 }))).toThrow(
      Refusal,
    );
  });
});
