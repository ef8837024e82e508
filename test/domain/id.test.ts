// Names of jobs: which are accepted, and what the generated ones are like.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/domain/errors.ts";
import { checkId, idFromBytes, isId, jobIdBytes, workerIdBytes } from "../../src/domain/id.ts";

test.each(["a", "7", "_", "007", "1e3", "my-job", "a.b:c_d-e", "A".repeat(64), "0x10", "null"])(
  "%j is an id",
  (id) => {
    expect(isId(id)).toBe(true);
    expect(() => checkId(id)).not.toThrow();
  },
);

test.each([
  "",
  "-a",
  ".a",
  ":a",
  "a b",
  "a/b",
  "../a",
  "ä",
  "a\n",
  "a\0",
  "A".repeat(65),
  "a,b",
  "*",
  "\u0661",
])("%j is none", (id) => {
  expect(isId(id)).toBe(false);
  expect(() => checkId(id)).toThrow(Refusal);
});

test("a refused id is named and the rule is said", () => {
  expect(() => checkId("a b")).toThrow('"a b" is not a job id: 1 to 64 of A-Z a-z 0-9 . _ : -');
});

test("an id that is too long is refused by its length, not repeated", () => {
  expect(() => checkId("x".repeat(5000))).toThrow(/^an id of 5000 characters is not a job id/);
});

test("exactly the texts of the rule are ids", () => {
  const first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  fc.assert(
    fc.property(
      fc.string({ unit: fc.oneof(fc.constantFrom(...first, ".", ":", "-"), fc.string()), maxLength: 70 }),
      (text) => {
        const follows = text.length >= 1 && text.length <= 64 && first.includes(text[0]!);
        expect(isId(text)).toBe(follows && [...text].every((letter) => `${first}.:-`.includes(letter)));
      },
    ),
  );
});

test("a generated id is an id as long as its bytes, without letters that look alike", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      const id = idFromBytes(bytes);
      expect(id).toHaveLength(bytes.length);
      expect(isId(id)).toBe(true);
      expect(id).not.toMatch(/[ilou]/);
    }),
  );
});

test("a generated id uses all 32 letters equally often", () => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);
  const counts = Map.groupBy(idFromBytes(everyByte), (letter) => letter);
  expect(counts.size).toBe(32);
  expect([...counts.values()].every((letters) => letters.length === 8)).toBe(true);
});

test("generated ids are short enough to type", () => {
  expect(jobIdBytes).toBeLessThanOrEqual(12);
  expect(workerIdBytes).toBeLessThanOrEqual(jobIdBytes);
});
