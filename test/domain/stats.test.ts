// Figures about the queue, from what a store counts.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { jobStates } from "../../src/domain/job.ts";
import { percentText, type StatsFacts, statsFrom } from "../../src/domain/stats.ts";

const nothing: StatsFacts = {
  pending: 0,
  processing: 0,
  completed: 0,
  failed: 0,
  dead: 0,
  cancelled: 0,
  active_workers: 0,
  success_runs: 0,
  failed_runs: 0,
  completed_ms: 0,
};

test("an empty queue has no success rate and no mean duration, rather than zeros", () => {
  const stats = statsFrom(nothing);
  expect(stats.total).toBe(0);
  expect(stats.success_rate).toBeNull();
  expect(stats.avg_duration).toBeNull();
});

test("a rate is told as all only where it is all", () => {
  expect([0, 0.5, 0.99975, 1].map(percentText)).toEqual(["0.0 %", "50.0 %", "99.9 %", "100 %"]);
});

test("the success rate is of completed and dead jobs, whatever else there is", () => {
  const facts = { ...nothing, completed: 3, dead: 1, pending: 7, failed: 5, cancelled: 2, processing: 1 };
  expect(statsFrom(facts).success_rate).toBe(0.75);
  expect(statsFrom({ ...nothing, dead: 2 }).success_rate).toBe(0);
});

test("the mean duration is of completed jobs, in seconds to the millisecond", () => {
  expect(statsFrom({ ...nothing, completed: 3, completed_ms: 1000 }).avg_duration).toBe(0.333);
  expect(statsFrom({ ...nothing, dead: 3, completed_ms: 0 }).avg_duration).toBeNull();
});

test("the printed keys are those that programs rely on", () => {
  expect(Object.keys(statsFrom(nothing))).toEqual([
    "pending",
    "processing",
    "completed",
    "failed",
    "dead",
    "cancelled",
    "total",
    "active_workers",
    "success_runs",
    "failed_runs",
    "success_rate",
    "avg_duration",
  ]);
});

test("whatever the counts, the total is their sum, the rate is from 0 to 1, and the rest is passed on", () => {
  const counts = fc.record({
    pending: fc.nat(),
    processing: fc.nat(),
    completed: fc.nat(),
    failed: fc.nat(),
    dead: fc.nat(),
    cancelled: fc.nat(),
    active_workers: fc.nat(),
    success_runs: fc.nat(),
    failed_runs: fc.nat(),
    completed_ms: fc.nat(),
  });
  fc.assert(
    fc.property(counts, (facts) => {
      const { total, success_rate, avg_duration, ...passedOn } = statsFrom(facts);
      expect(total).toBe(jobStates.reduce((sum, state) => sum + facts[state], 0));
      if (success_rate !== null) {
        expect(success_rate).toBeGreaterThanOrEqual(0);
        expect(success_rate).toBeLessThanOrEqual(1);
      }
      expect(avg_duration === null).toBe(facts.completed === 0);
      const { completed_ms: _, ...given } = facts;
      expect(passedOn).toEqual(given);
    }),
  );
});
