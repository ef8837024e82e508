// A soak tells drift from noise. The soak itself takes an hour: `bun run soak`.

import { expect, test } from "bun:test";
import { chartOf } from "./chart.ts";
import { driftOf, type Sample } from "./samples.ts";
import { jobLines } from "./work.ts";

const level: Sample = {
  seconds: 0,
  runs_per_second: 20,
  worker_mb: 40,
  web_mb: 60,
  worker_files: 14,
  web_files: 12,
  wal_mb: 4,
  database_mb: 2,
  logs_mb: 10,
  jobs: 500,
};

const hour = (change: (n: number) => Partial<Sample>): Sample[] =>
  Array.from({ length: 360 }, (_, n) => ({ ...level, seconds: n * 10, ...change(n) }));

const drifting = (samples: readonly Sample[]) =>
  driftOf(samples).flatMap(({ measure, isLevel }) => (isLevel ? [] : [measure]));

test("what goes up and down around the same is level, and so is what grows only in the beginning", () => {
  expect(drifting(hour((n) => ({ worker_mb: 40 + (n % 7), jobs: 500 + (n % 50) })))).toEqual([]);
  expect(drifting(hour((n) => ({ logs_mb: Math.min(n, 60), web_files: 12 + (n % 3) })))).toEqual([]);
});

test("what grows all the time drifts, and so does a rate that falls", () => {
  expect(drifting(hour((n) => ({ worker_mb: 40 + n / 10 })))).toEqual(["worker_mb"]);
  expect(drifting(hour((n) => ({ worker_files: 14 + Math.floor(n / 40) })))).toEqual(["worker_files"]);
  expect(drifting(hour((n) => ({ wal_mb: 4 + n / 10, logs_mb: 10 + n / 10 })))).toEqual([
    "wal_mb",
    "logs_mb",
  ]);
  expect(drifting(hour((n) => ({ runs_per_second: 20 - n / 36 })))).toEqual(["runs_per_second"]);
});

test("every number has its kind of job, and every measure its picture", () => {
  let n = 0;
  const lines = jobLines(100, () => n++ / 100);
  expect(new Set(lines.trim().split("\n")).size).toBe(7);
  expect(chartOf(hour(() => ({}))).match(/<polyline/g)).toHaveLength(9);
});
