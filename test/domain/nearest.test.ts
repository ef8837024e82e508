// The word that was probably meant, and silence where none was.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { didYouMean, nearest } from "../../src/domain/nearest.ts";

const commands = [
  "enqueue",
  "run",
  "worker",
  "status",
  "list",
  "show",
  "logs",
  "wait",
  "cancel",
  "retry",
  "delete",
  "dlq",
];
const word = fc.stringMatching(/^[a-z-]{1,12}$/);
const words = fc.array(word, { minLength: 1, maxLength: 8 });

describe("the nearest word", () => {
  test.each([
    ["enque", "enqueue"],
    ["enqeue", "enqueue"],
    ["statsu", "status"],
    ["lst", "list"],
    ["lits", "list"],
    ["cancle", "cancel"],
    ["worker s", "worker"],
    ["workers", "worker"],
    ["log", "logs"],
    ["e", "enqueue"],
    ["stat", "status"],
  ])("to %j is %s", (typed, meant) => {
    expect(nearest(typed, commands)).toBe(meant);
  });

  test.each(["", "xyzzy", "z", "kubernetes", "frobnicate", "💡", "ENQUEUE"])("to %j is none", (typed) => {
    expect(nearest(typed, commands)).toBeUndefined();
  });

  test.each([
    ["mode", "home"],
    ["name", "home"],
    ["--file", "--nice"],
  ])("to %s is not %s: half of it would be wrong", (typed, other) => {
    expect(nearest(typed, [other])).toBeUndefined();
  });

  test("is one of the known words or none", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), words, (typed, known) => {
        expect([...known, undefined]).toContain(nearest(typed, known));
      }),
    );
  });

  test("is found over one wrong, missing or added letter in four", () => {
    const typo = fc.tuple(fc.stringMatching(/^[a-y]{4,12}$/), fc.nat(), fc.nat(2));
    fc.assert(
      fc.property(typo, ([meant, place, kind]) => {
        const at = place % meant.length;
        const typed = meant.slice(0, at) + ["z", "", `z${meant[at]}`][kind] + meant.slice(at + 1);
        expect(nearest(typed, [meant])).toBe(meant);
      }),
    );
  });

  test("is none among no words", () => {
    expect(nearest("list", [])).toBeUndefined();
  });
});

test("a suggestion is a question, and missing where nothing is near", () => {
  expect(didYouMean("statsu", commands)).toBe("did you mean status?");
  expect(didYouMean("xyzzy", commands)).toBeUndefined();
});
