import { describe, expect, test } from "bun:test";
import type { Job } from "../../src/domain/job.ts";
import { keptBy, paceOf, type WhyFacts, whyText } from "../../src/domain/why.ts";
import { kept, newJob } from "../support/sample-jobs.ts";

const facts: WhyFacts = {
  isOrphan: false,
  now: 1_000_000,
  parents: [],
  rules: undefined,
  running: 0,
  waiting: 1,
  holder: undefined,
  workers: 1,
  perSecond: 0,
};

const limited = (rate: { starts: number; per: number } | null, concurrency: number | null = null) => ({
  queue: "mail",
  paused_at: null,
  concurrency,
  rate,
});

const job: Job = {
  ...kept(newJob({ queue: "mail" })),
  seq: 1,
  id: "letter",
  state: "pending",
  attempts: 0,
  run_at: 0,
  next_run_at: 0,
  unmet: 0,
  created_at: 0,
  updated_at: 0,
  started_at: null,
  finished_at: null,
  last_exit_code: null,
  last_error: null,
  last_duration: null,
  worker_id: null,
};

const why = (more: Partial<WhyFacts>) => whyText(job, { ...facts, ...more });

describe("when a job's turn comes", () => {
  test("is reckoned from how fast runs ended, and from what its queue lets start, whichever is slower", () => {
    expect(why({ waiting: 4 })).toBe("job letter waits for its turn, with 3 other jobs of its queue mail");
    expect(why({ waiting: 600, perSecond: 0.5 })).toBe(
      "job letter waits for its turn, with 599 other jobs of its queue mail; in 20m at most, as fast as it went of late",
    );
    const rules = limited({ starts: 10, per: 60 });
    const turn = "job letter waits for its turn: of its queue mail 10/m start";
    // Ten start at once, and ten each minute from then on.
    expect(why({ waiting: 10, rules })).toBe(turn);
    expect(why({ waiting: 11, rules })).toBe(`${turn}; in 1m at most, if workers keep up with that rate`);
    expect(why({ waiting: 600, rules, perSecond: 50 })).toBe(
      `${turn}; in 59m at most, if workers keep up with that rate`,
    );
    expect(why({ waiting: 600, rules, perSecond: 0.1 })).toBe(
      `${turn}; in 1h 40m at most, as fast as it went of late`,
    );
  });

  test("is not said of what keeps it for nobody knows how long", () => {
    const paused = { ...limited({ starts: 1, per: 60 }), paused_at: 5 };
    expect(why({ waiting: 9, perSecond: 1, rules: paused })).toBe(
      "job letter waits because its queue mail is paused; queuectl queue resume mail",
    );
    for (const rules of [undefined, limited({ starts: 1, per: 60 }), limited(null, 1)])
      expect(why({ waiting: 9, perSecond: 1, workers: 0, running: 1, rules })).toContain(
        "none serves its queue mail",
      );
  });
});

test("a limit keeps a job even from a worker with nothing else to do, and other jobs do not", () => {
  expect(keptBy(job, { ...facts, waiting: 100 })).toBeNull();
  expect(keptBy(job, { ...facts, rules: limited(null, 2), running: 1 })).toBeNull();
  expect(keptBy(job, { ...facts, rules: limited(null, 2), running: 2 })).toBe(
    "waits because its queue mail runs 2 of 2 jobs at once",
  );
});

test("how fast runs end is reckoned from when they began to", () => {
  const bucket = (minute: number, completed: number, failed = 0) => ({
    from: minute * 60_000,
    completed,
    failed,
  });
  const idle = Array.from({ length: 58 }, (_, minute) => bucket(minute, 0));
  expect(paceOf([...idle, bucket(58, 0), bucket(59, 0)], 59.5 * 60_000)).toBe(0);
  expect(paceOf([...idle, bucket(58, 40), bucket(59, 10, 10)], 59.5 * 60_000)).toBeCloseTo(60 / 90);
  expect(paceOf([...idle, bucket(58, 0), bucket(59, 5)], 59 * 60_000 + 10)).toBe(5);
});
