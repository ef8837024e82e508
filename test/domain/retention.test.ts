// How long jobs are kept that are settled.

import { expect, test } from "bun:test";
import { agesOf } from "../../src/domain/retention.ts";

const kept = { retention: 100, retention_dead: 900 };
const ages = (...[settings, states, age]: Parameters<typeof agesOf>) =>
  Object.fromEntries(agesOf(settings, states, age));

test("where nobody says how old, the settings do, for each state", () => {
  expect(ages(kept, undefined, undefined)).toEqual({ completed: 100, cancelled: 100, dead: 900 });
  expect(ages(kept, ["dead"], undefined)).toEqual({ dead: 900 });
});

test("what the settings keep for ever stays", () => {
  expect(ages({ ...kept, retention_dead: 0 }, undefined, undefined)).toEqual({
    completed: 100,
    cancelled: 100,
  });
  expect(ages({ ...kept, retention: 0 }, undefined, undefined)).toEqual({ dead: 900 });
});

test("an age that somebody says is that of completed and cancelled jobs, and of dead ones only where they are named", () => {
  for (const age of [0, 5]) {
    expect(ages(kept, undefined, age)).toEqual({ completed: age, cancelled: age });
    expect(ages({ retention: 0, retention_dead: 0 }, ["dead", "completed"], age)).toEqual({
      dead: age,
      completed: age,
    });
  }
});

test("a state that is named and kept for ever needs an age", () => {
  expect(() => agesOf({ ...kept, retention_dead: 0 }, ["dead"], undefined)).toThrow(
    "the settings keep jobs that are dead",
  );
});
