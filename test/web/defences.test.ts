// The table of defences in docs/dashboard.md: each has a test that bears its number, and none is missing.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Glob } from "bun";

const root = resolve(import.meta.dir, "../..");

test("every defence has its test, and every test that bears a number its defence", () => {
  const told = [...readFileSync(join(root, "docs/dashboard.md"), "utf8").matchAll(/^\| (D\d+) +\|/gm)].map(
    ([, n]) => n!,
  );
  expect(told).toEqual(Array.from({ length: 25 }, (_, n) => `D${n + 1}`));
  const tests = [...new Glob("test/web/*.test.ts").scanSync(root)].flatMap((path) => [
    ...readFileSync(join(root, path), "utf8").matchAll(
      /(?:test|describe)[^"`]*["`][^"`]*\(((?:D\d+(?:, )?)+)\)[^"`]*["`]/g,
    ),
  ]);
  const tested = new Set(tests.flatMap(([, numbers]) => numbers!.split(", ")));
  expect([...tested].sort()).toEqual(told.toSorted());
});
