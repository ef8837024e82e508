import { describe, expect, test } from "bun:test";
import { Refusal } from "../../src/domain/errors.ts";
import {
  checkSchedule,
  checkScheduled,
  jitterMs,
  jobFor,
  lateMs,
  type MissedPolicy,
  type NewSchedule,
  type NextTime,
  type OverlapPolicy,
  planFiring,
  timesAtOnce,
} from "../../src/domain/schedule.ts";
import { newJob } from "../support/sample-jobs.ts";

const minute = 60_000;
const day = 86_400_000;

const each =
  (ms: number): NextTime =>
  (after) =>
    Math.floor(after / ms) * ms + ms;

const plan = (
  next_at: number,
  now: number,
  next: NextTime,
  { missed = "one", overlap = "skip" }: { missed?: MissedPolicy; overlap?: OverlapPolicy } = {},
) => planFiring({ missed, overlap, next_at }, now, next);

describe("what is done about times that have come", () => {
  for (const missed of ["skip", "one", "all"] as const) {
    test(`a time that is only late becomes its job, whatever is done about missed ones (${missed})`, () => {
      for (const late of [0, 1, lateMs]) {
        expect(plan(day, day + late, each(day), { missed })).toEqual({
          times: [day],
          overlap: "skip",
          missed_at: null,
          next_at: 2 * day,
        });
      }
    });

    test(`each of several that are only late and queue becomes its job (${missed})`, () => {
      expect(plan(day, day + 3000, each(1000), { missed, overlap: "queue" }).times).toEqual([
        day,
        day + 1000,
        day + 2000,
        day + 3000,
      ]);
    });
  }

  test("of missed times none, the newest or each becomes a job", () => {
    const now = 10 * day + 5 * minute;
    expect(plan(8 * day, now, each(day), { missed: "skip" })).toMatchObject({
      times: [],
      missed_at: 10 * day,
    });
    expect(plan(8 * day, now, each(day), { missed: "one" })).toMatchObject({
      times: [10 * day],
      missed_at: null,
    });
    expect(plan(8 * day, now, each(day), { missed: "all" })).toMatchObject({
      times: [8 * day, 9 * day, 10 * day],
    });
    for (const missed of ["skip", "one", "all"] as const) {
      expect(plan(8 * day, now, each(day), { missed }).next_at).toBe(11 * day);
    }
  });

  test("a time that is only late stands for the missed ones before it", () => {
    const now = day + 2000;
    expect(plan(day - 5 * minute, now, each(minute), { missed: "one" })).toMatchObject({
      times: [day],
      missed_at: day - minute,
    });
    expect(plan(day - 5 * minute, now, each(minute), { missed: "skip" }).times).toEqual([day]);
  });

  test("however long nobody looked, few times are walked through", () => {
    let asked = 0;
    const seconds: NextTime = (after) => {
      asked++;
      return each(1000)(after);
    };
    for (const missed of ["skip", "one"] as const) plan(0, 1000 * day, seconds, { missed });
    plan(0, 1000 * day, seconds, { missed: "all" });
    expect(asked).toBeLessThan(1000);
  });

  test("each missed time is taken in turn, so many at once, beside whatever runs", () => {
    const first = plan(0, day, each(minute), { missed: "all", overlap: "skip" });
    expect(first).toMatchObject({ overlap: "queue", next_at: timesAtOnce * minute });
    expect(first.times).toHaveLength(timesAtOnce);
  });

  test("of several that are only late and skip each other the newest becomes a job", () => {
    for (const missed of ["skip", "one"] as const) {
      expect(plan(day, day + 3000, each(1000), { missed })).toMatchObject({
        times: [day + 3000],
        next_at: day + 4000,
      });
    }
  });

  test("of several that replace each other the newest becomes a job", () => {
    expect(plan(day, day + 3000, each(1000), { overlap: "replace" })).toMatchObject({
      times: [day + 3000],
      overlap: "replace",
      next_at: day + 4000,
    });
  });

  test("a schedule whose last time has come has no next one", () => {
    expect(plan(day, day, () => null)).toMatchObject({ times: [day], next_at: null });
    expect(plan(day, 5 * day, () => null)).toMatchObject({ times: [day], next_at: null });
  });
});

const { id: _id, run_at: _run_at, after: _after, ...job } = newJob();

const schedule: NewSchedule = {
  name: "nightly",
  cron: "@daily",
  tz: "UTC",
  missed: "one",
  overlap: "skip",
  jitter: 0,
  job,
  next_at: 0,
};

describe("the job of a time", () => {
  test("may run at that time, and after its jitter at the latest", () => {
    expect(jobFor(schedule, day)).toEqual({ ...schedule.job, id: undefined, after: [], run_at: day });
    const run_at = jobFor({ ...schedule, jitter: 60 }, day).run_at!;
    expect(run_at).toBeGreaterThanOrEqual(day);
    expect(run_at).toBeLessThan(day + minute);
  });

  test("queues behind those of other times, by a key of the schedule's unless it has its own", () => {
    expect(jobFor({ ...schedule, overlap: "queue" }, day).key).toBe("schedule nightly");
    const own = { ...schedule.job, key: "backup" };
    expect(jobFor({ ...schedule, overlap: "queue", job: own }, day).key).toBe("backup");
    expect(jobFor({ ...schedule, overlap: "skip" }, day).key).toBeNull();
  });

  test("jitter is the same for one time, and spreads over times and names", () => {
    expect(jitterMs("a", day, 60)).toBe(jitterMs("a", day, 60));
    const quarters = new Set<number>();
    for (let n = 0; n < 200; n++) {
      quarters.add(Math.floor(jitterMs("a", n * day, 60) / (15 * 1000)));
      quarters.add(10 + Math.floor(jitterMs(`name-${n}`, day, 60) / (15 * 1000)));
    }
    expect([...quarters].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 10, 11, 12, 13]);
  });
});

test("what only one job can have is refused to a schedule, each of it", () => {
  checkScheduled({ command: "true", held: false, after: [] });
  for (const own of [
    { id: "a" },
    { run_at: day },
    { held: true },
    { after: [{ id: "b", if_fails: "run" as const }] },
    { unique: { seconds: 0 } },
  ])
    expect(() => checkScheduled({ command: "true", ...own })).toThrow(Refusal);
});

test("a name like a job's and a jitter of up to a day are accepted", () => {
  expect(checkSchedule({ ...schedule, jitter: 86_400 })).toEqual({ ...schedule, jitter: 86_400 });
  for (const wrong of [
    { name: "" },
    { name: "a b" },
    { name: "-x" },
    { jitter: -1 },
    { jitter: 86_401 },
    { jitter: Number.NaN },
  ]) {
    expect(() => checkSchedule({ ...schedule, ...wrong })).toThrow(Refusal);
  }
});
