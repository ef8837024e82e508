// What becomes of a job when a run has ended: the state machine.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type AttemptResult, type Ending, isCharged } from "../../src/domain/attempt.ts";
import { retryDelay } from "../../src/domain/backoff.ts";
import { nextStates } from "../../src/domain/job.ts";
import {
  isFailedRun,
  type Outcome,
  type OutcomeSettings,
  outcomeOf,
  type RunJob,
} from "../../src/domain/outcome.ts";
import type { JobRules } from "../../src/domain/rules.ts";

const now = Date.UTC(2026, 0, 1);

const fresh: RunJob = {
  attempts: 0,
  max_retries: 3,
  rules: {},
  last_error: null,
  last_exit_code: null,
  last_duration: null,
  lost_in_row: 0,
  snooze: null,
  cancel_requested: false,
};

const settings: OutcomeSettings = { backoff_base: 2, backoff_max: 3600, backoff_jitter: 0, max_lost: 3 };

const ending = (result: AttemptResult, exit_code: number | null = null): Ending => ({
  result,
  exit_code,
  signal: result === "signalled" ? "SIGKILL" : null,
  error: exit_code === 0 ? null : `${result}, as the runner says it`,
  note: null,
  duration: 1.5,
  cpu_time: null,
  peak_memory: null,
  log_bytes: 0,
  log_truncated: false,
  log_left_out: 0,
});

const success = ending("exited", 0);
const failure = ending("exited", 1);
const lost = ending("lost");
const rebooted = ending("rebooted");
const released = ending("released");

const settle = (job: Partial<RunJob>, ended: Ending, changed: Partial<OutcomeSettings> = {}) =>
  outcomeOf({ ...fresh, ...job }, ended, { ...settings, ...changed }, now, 0);

test("a job that its command puts off waits for so long, uncharged, and no longer", () => {
  const put = settle({ snooze: 90_000, attempts: 2, lost_in_row: 1 }, ending("snoozed", 0));
  expect(put).toMatchObject({ state: "pending", attempts: 2, lost_in_row: 0, next_run_at: now + 90_000 });
});

/** The job as its next run finds it. */
const following = (job: RunJob, outcome: Outcome): RunJob => ({
  ...job,
  ...outcome,
  cancel_requested: false,
});

const anyEnding: fc.Arbitrary<Ending> = fc.oneof(
  fc.integer({ min: 0, max: 255 }).map((code) => ending("exited", code)),
  fc.constantFrom(
    ending("signalled"),
    ending("timed_out", 124),
    ending("not_started", 126),
    ending("not_started", 127),
  ),
  fc.constantFrom(ending("cancelled"), released, lost, rebooted),
);

const anyJob: fc.Arbitrary<RunJob> = fc
  .record({
    max_retries: fc.integer({ min: 0, max: 1000 }),
    lost_in_row: fc.nat(5),
    cancel_requested: fc.boolean(),
  })
  .chain((some) =>
    fc.integer({ min: 0, max: some.max_retries }).map((attempts) => ({
      ...fresh,
      ...some,
      attempts,
      last_error: "the one before",
      last_exit_code: 9,
      last_duration: 9,
    })),
  );

const anySettings: fc.Arbitrary<OutcomeSettings> = fc.record({
  backoff_base: fc.double({ min: 0, max: 1000, noNaN: true }),
  backoff_max: fc.double({ min: 0, max: 3.2e8, noNaN: true }),
  backoff_jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  max_lost: fc.nat(5),
});

const anyDice = fc.double({ min: 0, max: 1, noNaN: true });

describe("however a run ends", () => {
  const whatever = (
    check: (outcome: Outcome, job: RunJob, ended: Ending, settings: OutcomeSettings, dice: number) => void,
  ) =>
    fc.assert(
      fc.property(anyJob, anyEnding, anySettings, anyDice, (job, ended, settings, dice) =>
        check(outcomeOf(job, ended, settings, now, dice), job, ended, settings, dice),
      ),
      { numRuns: 1000 },
    );

  test("the job moves to a state that may follow processing", () => {
    whatever(({ state }) => expect(nextStates.processing).toContain(state));
  });

  test("it waits for a moment exactly when its next state is one that waits", () => {
    whatever(({ state, next_run_at }) => {
      expect(next_run_at !== null).toBe(state === "pending" || state === "failed");
      if (next_run_at !== null) expect(next_run_at).toBeGreaterThanOrEqual(now);
    });
  });

  test("at most one run is charged, and only for a result that is charged", () => {
    whatever(({ attempts }, job, { result }) => {
      expect(attempts - job.attempts).toBeOneOf(isCharged(result) ? [0, 1] : [0]);
    });
  });

  test("runs given back, and runs lost with their worker or machine, are never charged", () => {
    whatever(({ attempts }, job, { result }) => {
      if (["released", "lost", "rebooted"].includes(result)) expect(attempts).toBe(job.attempts);
    });
  });

  test("a job whose end was asked for is cancelled, unless it finished with exit status 0 first", () => {
    whatever(({ state }, job, { result, exit_code }) => {
      if (!job.cancel_requested) return;
      expect(state).toBe(result === "exited" && exit_code === 0 ? "completed" : "cancelled");
    });
  });

  test("a job is completed by exit status 0 and by nothing else", () => {
    whatever(({ state }, _job, { result, exit_code }) => {
      expect(state === "completed").toBe(result === "exited" && exit_code === 0);
    });
  });

  test("a failed job waits as long as the backoff says for the runs it has used", () => {
    whatever((outcome, _job, _ended, settings, dice) => {
      if (outcome.state !== "failed") return;
      const delay = retryDelay(outcome.attempts, settings, dice);
      expect(Math.abs(outcome.next_run_at! - now - delay * 1000)).toBeLessThanOrEqual(0.5);
    });
  });

  test("losses in a row are forgotten by any end that the command came to itself", () => {
    whatever(({ lost_in_row }, job, { result }) => {
      const kept = !job.cancel_requested && ["released", "lost", "rebooted"].includes(result);
      expect(lost_in_row).toBe(kept ? job.lost_in_row + Number(result === "lost") : 0);
    });
  });
});

test("over a whole life a job never uses more than max_retries + 1 runs, and dies by the last one", () => {
  const life = fc.record({
    max_retries: fc.integer({ min: 0, max: 12 }),
    endings: fc.array(anyEnding, { maxLength: 40 }),
    settings: anySettings,
  });
  fc.assert(
    fc.property(life, ({ max_retries, endings, settings }) => {
      let job: RunJob = { ...fresh, max_retries };
      let charged = 0;
      for (const ended of endings) {
        const outcome = outcomeOf(job, ended, settings, now, 0.5);
        charged += Number(isCharged(ended.result));
        expect(outcome.attempts).toBe(charged);
        expect(charged).toBeLessThanOrEqual(max_retries + 1);
        if (outcome.state !== "pending" && outcome.state !== "failed") break;
        expect(charged).toBeLessThanOrEqual(max_retries);
        job = following(job, outcome);
      }
    }),
    { numRuns: 1000 },
  );
});

describe("a failing job", () => {
  test("that always fails runs max_retries + 1 times, after 2, 4 and 8 seconds, and is dead then", () => {
    let job = fresh;
    const waits: unknown[] = [];
    for (let run = 1; run <= 4; run++) {
      const outcome = outcomeOf(job, failure, settings, now, 0.9);
      waits.push(outcome.next_run_at === null ? outcome.state : outcome.next_run_at - now);
      job = following(job, outcome);
    }
    expect(waits).toEqual([2000, 4000, 8000, "dead"]);
    expect(job.attempts).toBe(4);
  });

  test("without retries is dead at its first failure", () => {
    expect(settle({ max_retries: 0 }, failure)).toMatchObject({
      state: "dead",
      attempts: 1,
      next_run_at: null,
    });
  });

  test.each([
    ending("signalled"),
    ending("timed_out", 124),
    ending("not_started", 127),
    ending("exited", 255),
  ])("by $result is charged and waits for its retry", (ended) => {
    expect(settle({}, ended)).toMatchObject({
      state: "failed",
      attempts: 1,
      last_exit_code: ended.exit_code,
      last_error: ended.error,
      last_duration: 1.5,
    });
  });

  test("is not completed by the exit status 0 of a run that timed out", () => {
    expect(settle({}, ending("timed_out", 0)).state).toBe("failed");
  });
});

test("a job that succeeds at its last retry is completed, with its error forgotten", () => {
  const outcome = settle({ attempts: 3, last_error: "exit status 1", last_exit_code: 1 }, success);
  expect(outcome).toMatchObject({ state: "completed", attempts: 4, last_exit_code: 0, last_error: null });
});

describe("a run given back", () => {
  test("leaves the job as if it had not run, ready at once", () => {
    const before = {
      attempts: 2,
      last_error: "exit status 9",
      last_exit_code: 9,
      last_duration: 0.1,
      lost_in_row: 1,
    };
    expect(settle(before, released)).toEqual({ ...before, state: "pending", next_run_at: now });
  });
});

describe("a lost run", () => {
  test("of a job that never failed goes back to pending, ready at once", () => {
    expect(settle({}, lost)).toMatchObject({
      state: "pending",
      attempts: 0,
      lost_in_row: 1,
      next_run_at: now,
    });
  });

  test("of a job that failed before waits as long as it last had to", () => {
    expect(settle({ attempts: 2 }, lost)).toMatchObject({
      state: "failed",
      attempts: 2,
      next_run_at: now + 4000,
    });
  });

  test("three times in a row makes a job dead, and the error calls it a poison pill", () => {
    let job = fresh;
    const states: string[] = [];
    for (let run = 1; run <= 3; run++) {
      const outcome = outcomeOf(job, lost, settings, now, 0);
      states.push(outcome.state);
      job = following(job, outcome);
    }
    expect(states).toEqual(["pending", "pending", "dead"]);
    expect(job.attempts).toBe(0);
    expect(job.last_error).toStartWith("poison pill: ");
    expect(job.last_error).toContain("3 times in a row");
  });

  test("is counted anew after a run that ended by itself", () => {
    const twice = { ...fresh, lost_in_row: 2 };
    const job = following(twice, outcomeOf(twice, failure, settings, now, 0));
    expect(outcomeOf(job, lost, settings, now, 0)).toMatchObject({ state: "failed", lost_in_row: 1 });
  });

  test("is not forgotten because a run in between was given back", () => {
    const twice = { ...fresh, lost_in_row: 2 };
    const job = following(twice, outcomeOf(twice, released, settings, now, 0));
    expect(outcomeOf(job, lost, settings, now, 0).state).toBe("dead");
  });

  test("with its machine does not count towards the poison pill, however often", () => {
    let job: RunJob = { ...fresh, lost_in_row: 2 };
    for (let run = 1; run <= 10; run++) {
      const outcome = outcomeOf(job, rebooted, settings, now, 0);
      expect(outcome).toMatchObject({ state: "pending", attempts: 0, lost_in_row: 2, next_run_at: now });
      job = following(job, outcome);
    }
  });

  test("makes a job dead after max_lost of them exactly", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(1000), (max_lost, lost_in_row) => {
        expect(settle({ lost_in_row }, lost, { max_lost }).state === "dead").toBe(
          lost_in_row + 1 >= max_lost,
        );
      }),
    );
  });

  test("never makes a job dead when max_lost is 0", () => {
    expect(settle({ lost_in_row: 100_000 }, lost, { max_lost: 0 }).state).toBe("pending");
  });
});

describe("the failed runs of the statistics", () => {
  test("are the charged ones without exit status 0", () => {
    const counted = [failure, ending("signalled"), ending("timed_out", 124), ending("not_started", 127)];
    expect(counted.every((ended) => isFailedRun({}, ended))).toBe(true);
    const others = [success, lost, rebooted, released, ending("cancelled")];
    expect(others.some((ended) => isFailedRun({}, ended))).toBe(false);
  });

  test("are by the job's own word for success", () => {
    expect(isFailedRun({ success_on: "3" }, ending("exited", 3))).toBe(false);
    expect(isFailedRun({ success_on: "3" }, success)).toBe(true);
  });
});

describe("what a job says of its exit statuses", () => {
  const by = (rules: JobRules, ended: Ending) => settle({ rules }, ended);
  const exit = (code: number) => ending("exited", code);

  test("makes a listed status a success, and 0 a failure where the list leaves it out", () => {
    expect(by({ success_on: "0,3" }, exit(3))).toMatchObject({ state: "completed", attempts: 1 });
    expect(by({ success_on: "0,3" }, exit(0)).state).toBe("completed");
    expect(by({ success_on: "3" }, exit(0)).state).toBe("failed");
  });

  test("counts a timeout as 124 and a signal as 128 and its number", () => {
    expect(by({ success_on: "0,124" }, ending("timed_out", 124)).state).toBe("completed");
    expect(by({ success_on: "0,143" }, ending("signalled", 143)).state).toBe("completed");
    expect(by({ dead_on: "124" }, ending("timed_out", 124)).state).toBe("dead");
    expect(by({ retry_on: "128-255" }, ending("signalled", 137)).state).toBe("failed");
  });

  test("never makes a success of what could not be started", () => {
    expect(by({ success_on: "0,127" }, ending("not_started", 127)).state).toBe("failed");
  });

  test("makes a job dead at once by dead_on, and the reason is told", () => {
    expect(by({ dead_on: "2" }, exit(2))).toMatchObject({
      state: "dead",
      attempts: 1,
      last_error: "exited, as the runner says it: dead_on names it",
    });
    expect(by({ dead_on: "2" }, exit(1)).state).toBe("failed");
  });

  test("retries nothing but what retry_on names", () => {
    expect(by({ retry_on: "75,100-110" }, exit(105)).state).toBe("failed");
    expect(by({ retry_on: "75,100-110" }, exit(1))).toMatchObject({
      state: "dead",
      last_error: "exited, as the runner says it: retry_on does not name it",
    });
  });

  test("leaves the number of retries as it is", () => {
    const used = settle({ rules: { retry_on: "75" }, attempts: 3 }, exit(75));
    expect(used).toMatchObject({ state: "dead", attempts: 4, last_error: "exited, as the runner says it" });
  });

  test("does not touch runs that are not charged", () => {
    for (const ended of [lost, rebooted, released]) {
      expect(by({ dead_on: "1-255", success_on: "0" }, ended).state).toBe("pending");
    }
  });

  test("completes a job whose end was asked for when it had succeeded by then", () => {
    const asked = settle({ rules: { success_on: "3" }, cancel_requested: true }, exit(3));
    expect(asked.state).toBe("completed");
  });
});

test("the delay before a retry is by the job's own backoff", () => {
  const rules: JobRules = { backoff: "linear", backoff_base: 30, backoff_max: 70 };
  const delays = [0, 1, 2].map((attempts) => settle({ rules, attempts }, failure).next_run_at! - now);
  expect(delays).toEqual([30_000, 60_000, 70_000]);
});
