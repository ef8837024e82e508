// Jobs that come after others: what may be named, and what becomes of one when another is settled.

import { expect, test } from "bun:test";
import { checkParents, type FailurePolicy, type Parent, verdictOf } from "../../src/domain/dependencies.ts";

test.each<[FailurePolicy, "completed" | "dead" | "cancelled", "cancel" | "wait" | "go"]>([
  ["cancel", "completed", "go"],
  ["wait", "completed", "go"],
  ["run", "completed", "go"],
  ["cancel", "dead", "cancel"],
  ["wait", "dead", "wait"],
  ["run", "dead", "go"],
  ["cancel", "cancelled", "cancel"],
  ["wait", "cancelled", "wait"],
  ["run", "cancelled", "go"],
])("after %s: a job that is %s makes it %s", (policy, state, verdict) => {
  expect(verdictOf(policy, state)).toBe(verdict);
});

const parent = (id: string, if_fails = "cancel"): Parent => ({ id, if_fails: if_fails as FailurePolicy });

test("up to 1000 others are accepted", () => {
  const many = Array.from({ length: 1000 }, (_, n) => parent(`job-${n}`));
  expect(() => checkParents(many, "own")).not.toThrow();
  expect(() => checkParents([...many, parent("more")], "own")).toThrow(
    "a job comes after at most 1000 others",
  );
});

test.each<[string, Parent[], string]>([
  ["itself", [parent("own")], "job own cannot come after itself"],
  ["one twice", [parent("a"), parent("a", "run")], "after names job a twice"],
  ["what is no id", [parent("a b")], "a b"],
  ["another policy", [parent("a", "explode")], 'if_fails cannot be "explode"'],
])("%s is refused", (_what, after, message) => {
  expect(() => checkParents(after, "own")).toThrow(message);
});
