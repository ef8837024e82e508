import { describe, expect, test } from "bun:test";
import type { Ending } from "../../../src/domain/attempt.ts";
import type { Job } from "../../../src/domain/job.ts";
import {
  allJobs,
  claim,
  endedAs,
  exitWith,
  jobIn,
  newJob,
  register,
  runAgain,
  runningJob,
  settings,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function settlementContract(makeStore: MakeStore): void {
  describe("settle", () => {
    const outcomes: { title: string; ending: Ending; after: Partial<Job>; waits?: number }[] = [
      {
        title: "exit status 0 completes the job",
        ending: exitWith(0, { duration: 0.25 }),
        after: { state: "completed", attempts: 1, last_exit_code: 0, last_error: null, last_duration: 0.25 },
      },
      {
        title: "another exit status makes it wait for its retry",
        ending: exitWith(3),
        after: { state: "failed", attempts: 1, last_exit_code: 3, last_error: "exit status 3" },
        waits: 2000,
      },
      {
        title: "a timeout makes it wait for its retry",
        ending: endedAs("timed_out", { exit_code: 124, error: "TimeoutExpired: 5 s" }),
        after: { state: "failed", attempts: 1, last_exit_code: 124, last_error: "TimeoutExpired: 5 s" },
        waits: 2000,
      },
      {
        title: "a signal makes it wait for its retry",
        ending: endedAs("signalled", { signal: "SIGSEGV", error: "killed by SIGSEGV" }),
        after: { state: "failed", attempts: 1, last_exit_code: null, last_error: "killed by SIGSEGV" },
        waits: 2000,
      },
      {
        title: "a command that could not start waits for its retry",
        ending: endedAs("not_started", { exit_code: 127, error: "no such directory" }),
        after: { state: "failed", attempts: 1, last_exit_code: 127 },
        waits: 2000,
      },
      {
        title: "a run ended by a user makes it cancelled",
        ending: endedAs("cancelled"),
        after: { state: "cancelled", attempts: 0, last_error: "cancelled" },
      },
      {
        title: "a run given back is not charged, and may run again at once",
        ending: endedAs("released"),
        after: { state: "pending", attempts: 0, last_error: null, last_duration: null },
        waits: 0,
      },
      {
        title: "a lost run is not charged, and may run again at once",
        ending: endedAs("lost"),
        after: { state: "pending", attempts: 0, last_error: "lost", last_exit_code: null },
        waits: 0,
      },
      {
        title: "a run that its machine took down is not charged, and may run again at once",
        ending: endedAs("rebooted"),
        after: { state: "pending", attempts: 0, last_error: "rebooted", last_exit_code: null },
        waits: 0,
      },
    ];
    for (const { title, ending, after, waits } of outcomes) {
      test(title, async () => {
        await using temp = await makeStore();
        const { store, clock } = temp;
        const { job, lease, worker_id } = await runningJob(store);
        const startedAt = clock.now;
        clock.now += 1500;
        const turn = await settle(store, lease, ending);
        const settled = turn.settled[0]!;
        expect(turn).toEqual({ stale: [], settled: [settled], claimed: [], next_due_at: null });
        expect(settled).toMatchObject({
          ...after,
          seq: job.seq,
          worker_id: null,
          started_at: startedAt,
          finished_at: after.state === "pending" ? null : clock.now,
          updated_at: clock.now,
          next_run_at: waits === undefined ? null : clock.now + waits,
        });
        expect(await store.jobs.find(job.id)).toEqual(settled);
        expect(await store.jobs.attempts(job.seq)).toEqual([
          {
            ...ending,
            number: 1,
            worker_id,
            host: "here",
            pid: null,
            started_at: startedAt,
            finished_at: clock.now,
          },
        ]);
      });
    }

    test("the job's own rules decide what its exit status means, and count its run", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const rules = { success_on: "0,3", dead_on: "2", backoff: "fixed", backoff_base: 90 } as const;
      const after = async (exit_code: number) => {
        const { lease } = await runningJob(store, { rules });
        const [job] = (await settle(store, lease, exitWith(exit_code))).settled;
        expect(job!.rules).toEqual(rules);
        return { state: job!.state, last_error: job!.last_error, next_run_at: job!.next_run_at };
      };
      expect(await after(3)).toMatchObject({ state: "completed" });
      expect(await after(2)).toMatchObject({ state: "dead", last_error: "exit status 2: dead_on names it" });
      expect(await after(1)).toMatchObject({ state: "failed", next_run_at: clock.now + 90_000 });
      expect(await store.stats.read()).toMatchObject({ success_runs: 1, failed_runs: 2 });
    });

    test("all that the runner saw is in the record of the attempt", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease } = await runningJob(store);
      const ending: Ending = {
        result: "signalled",
        exit_code: null,
        signal: "SIGKILL",
        error: "killed by SIGKILL",
        note: "processes left behind were ended",
        duration: 12.345,
        cpu_time: 0.125,
        peak_memory: 5_000_000_000,
        log_bytes: 104_857_600,
        log_truncated: true,
        log_left_out: 5_000_000_000,
      };
      await settle(store, lease, ending);
      expect((await store.jobs.attempts(job.seq))[0]).toMatchObject({ ...ending });
    });

    test("what a given-back run leaves is the record of the run before", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { job, lease } = await runningJob(store);
      await settle(store, lease, exitWith(9));
      clock.now += 2000;
      const { settled } = await settle(store, (await runAgain(store, job.seq)).lease, endedAs("released"));
      expect(settled[0]).toMatchObject({
        state: "pending",
        attempts: 1,
        last_exit_code: 9,
        last_error: "exit status 9",
        last_duration: 1,
      });
    });

    test("max_retries retries follow the first run, with growing delays, and then the job is dead", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq } = await store.jobs.enqueue(newJob({ max_retries: 3 }));
      const delays: (number | null)[] = [];
      const states: string[] = [];
      for (let n = 0; n < 4; n++) {
        const { settled } = await settle(store, (await runAgain(store, seq)).lease, exitWith(1));
        const { next_run_at, state } = settled[0]!;
        states.push(state);
        delays.push(next_run_at === null ? null : next_run_at - clock.now);
        clock.now = next_run_at ?? clock.now;
      }
      expect(states).toEqual(["failed", "failed", "failed", "dead"]);
      expect(delays).toEqual([2000, 4000, 8000, null]);
    });

    test("the delay is reckoned by the settings of the turn", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const by = { backoff_base: 3, backoff_max: 2.5 };
      const { lease } = await runningJob(store);
      expect((await settle(store, lease, exitWith(1), by)).settled[0]?.next_run_at).toBe(clock.now + 2500);
      const jittered = await runningJob(store);
      const jitter = { backoff_base: 0, backoff_jitter: 1 };
      const { settled } = await settle(store, jittered.lease, exitWith(1), jitter);
      expect(settled[0]!.next_run_at! - clock.now).toBeWithin(0, 1001);
    });

    test("a retry without delay may be claimed by the same turn", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease, worker_id } = await runningJob(store);
      const { claimed } = await store.leases.exchange({
        started: [],
        ended: [{ lease, ending: exitWith(1) }],
        settings: { ...settings, backoff_base: 0 },
        wanted: { worker_ids: [worker_id], queues: null },
      });
      expect(claimed.map(({ job, attempt }) => [job.seq, attempt])).toEqual([[job.seq, 2]]);
    });

    test("one turn settles what ended and fills the idle workers, in the order it was given", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await register(store, "worker-a", "worker-b", "worker-c");
      for (const id of ["1", "2", "3", "4"]) await store.jobs.enqueue(newJob({ id }));
      const worker_ids = ["worker-a", "worker-b"];
      const [one, two] = await claim(store, { worker_ids });
      const turn = await store.leases.exchange({
        started: [],
        ended: [
          { lease: two!.lease, ending: exitWith(1) },
          { lease: one!.lease, ending: exitWith(0) },
        ],
        settings,
        wanted: { worker_ids: ["worker-c", ...worker_ids], queues: null },
      });
      expect(turn.settled.map(({ id, state }) => [id, state])).toEqual([
        ["2", "failed"],
        ["1", "completed"],
      ]);
      expect(turn.claimed.map(({ job, worker_id }) => [job.id, worker_id])).toEqual([
        ["3", "worker-c"],
        ["4", "worker-a"],
      ]);
    });
  });

  describe("a worker that lost its right to a job", () => {
    test("changes nothing, is told so, and the rest of its turn counts", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { job, lease } = await runningJob(store, { id: "taken-over" });
      await settle(store, lease, endedAs("lost"));
      await runAgain(store, job.seq);
      const mine = await runningJob(store, { id: "mine" });
      await store.jobs.enqueue(newJob({ id: "next" }));
      const before = [await store.jobs.find("taken-over"), await store.jobs.attempts(job.seq)];
      clock.now += 100;
      const turn = await store.leases.exchange({
        started: [{ lease, pid: 99, pid_start: "99" }],
        ended: [
          { lease, ending: exitWith(0) },
          { lease: mine.lease, ending: exitWith(0) },
        ],
        settings,
        wanted: { worker_ids: [mine.worker_id], queues: null },
      });
      expect(turn.stale).toEqual([lease]);
      expect(turn.settled.map(({ id }) => id)).toEqual(["mine"]);
      expect(turn.claimed.map(({ job }) => job.id)).toEqual(["next"]);
      expect([await store.jobs.find("taken-over"), await store.jobs.attempts(job.seq)]).toEqual(before);
      expect((await store.stats.read()).success_runs).toBe(1);
    });

    test("cannot settle the same run twice, in one turn or in two", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { lease, job } = await runningJob(store);
      const once = { lease, ending: exitWith(1) };
      const turn = { started: [], settings, wanted: null };
      const both = await store.leases.exchange({
        ...turn,
        ended: [once, { lease, ending: exitWith(0) }],
      });
      expect(both).toMatchObject({ stale: [lease], settled: [{ state: "failed", attempts: 1 }] });
      const after = await allJobs(store);
      expect((await store.leases.exchange({ ...turn, ended: [once] })).stale).toEqual([lease]);
      expect(await allJobs(store)).toEqual(after);
      expect((await store.jobs.attempts(job.seq))[0]?.exit_code).toBe(1);
      expect(await store.stats.read()).toMatchObject({ success_runs: 0, failed_runs: 1 });
    });

    test("is told so when the job was deleted or retried since", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const deleted = await runningJob(store);
      const retried = await runningJob(store);
      for (const { lease } of [deleted, retried]) await settle(store, lease, endedAs("released"));
      await store.jobs.delete([deleted.job.seq]);
      await store.jobs.retry([retried.job.seq]);
      const before = await allJobs(store);
      for (const { lease } of [deleted, retried]) {
        const { stale, settled } = await settle(store, lease, exitWith(0));
        expect({ stale, settled }).toEqual({ stale: [lease], settled: [] });
      }
      expect(await allJobs(store)).toEqual(before);
    });
  });

  describe("a started process", () => {
    test("is written into the attempt", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease } = await runningJob(store);
      const started = [{ lease, pid: 4242, pid_start: "77" }];
      await store.leases.exchange({ started, ended: [], settings, wanted: null });
      expect((await store.jobs.attempts(job.seq))[0]).toMatchObject({ pid: 4242, result: null });
    });

    test("is written also when it ended in the same turn", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease } = await runningJob(store);
      await store.leases.exchange({
        started: [{ lease, pid: 4242, pid_start: "77" }],
        ended: [{ lease, ending: exitWith(0) }],
        settings,
        wanted: null,
      });
      expect((await store.jobs.attempts(job.seq))[0]).toMatchObject({ pid: 4242, exit_code: 0 });
    });
  });

  describe("a job whose end was asked for", () => {
    for (const ending of [
      exitWith(1),
      endedAs("signalled", { signal: "SIGTERM" }),
      endedAs("timed_out", { exit_code: 124 }),
      endedAs("released"),
      endedAs("lost"),
      endedAs("rebooted"),
      endedAs("cancelled"),
    ]) {
      test(`is cancelled when its run ends with ${ending.result}`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const { job, lease } = await runningJob(store);
        await store.jobs.cancel([job.seq]);
        const { settled } = await settle(store, lease, ending);
        expect(settled[0]).toMatchObject({ state: "cancelled", attempts: 0, next_run_at: null });
        expect((await store.jobs.attempts(job.seq))[0]?.result).toBe(ending.result);
      });
    }

    test("keeps its result when it finished first", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease } = await runningJob(store);
      await store.jobs.cancel([job.seq]);
      expect((await settle(store, lease, exitWith(0))).settled[0]?.state).toBe("completed");
    });

    test("runs undisturbed when retried afterwards", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease } = await runningJob(store);
      await store.jobs.cancel([job.seq]);
      await settle(store, lease, endedAs("cancelled"));
      await store.jobs.retry([job.seq]);
      const process_id = await register(store, "worker-a");
      const [again] = await claim(store);
      expect((await store.leases.orders(process_id)).cancel).toEqual([]);
      expect((await settle(store, again!.lease, exitWith(1))).settled[0]?.state).toBe("failed");
    });
  });

  describe("a job lost with its worker", () => {
    test("max_lost losses in a row make it dead, saying so, without being charged", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { seq } = await store.jobs.enqueue(newJob());
      const states: string[] = [];
      for (let n = 0; n < 3; n++) {
        const { settled } = await settle(store, (await runAgain(store, seq)).lease, endedAs("lost"));
        states.push(settled[0]!.state);
      }
      expect(states).toEqual(["pending", "pending", "dead"]);
      const [job] = await allJobs(store);
      expect(job).toMatchObject({ attempts: 0, last_error: expect.stringContaining("poison pill") });
      expect((await store.jobs.attempts(seq)).map(({ result }) => result)).toEqual(["lost", "lost", "lost"]);
      expect(await store.stats.read()).toMatchObject({ dead: 1, failed_runs: 0 });
    });

    test("a run that ended in between breaks the row; one given back or lost with its machine does not", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const lose = async (seq: number, endings: readonly Ending[]) => {
        let job: Job | undefined;
        for (const ending of endings) {
          clock.now += 3_600_000;
          const { lease } = await runAgain(store, seq);
          job = (await settle(store, lease, ending, { max_lost: 2 })).settled[0];
        }
        return job?.state;
      };
      const lost = endedAs("lost");
      const first = await store.jobs.enqueue(newJob());
      expect(await lose(first.seq, [lost, exitWith(1), lost])).toBe("failed");
      const second = await store.jobs.enqueue(newJob());
      expect(await lose(second.seq, [lost, endedAs("released"), lost])).toBe("dead");
      const third = await store.jobs.enqueue(newJob());
      expect(await lose(third.seq, [lost, endedAs("rebooted"), lost])).toBe("dead");
    });

    test("with max_lost 0 it never dies of it", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { seq } = await store.jobs.enqueue(newJob());
      for (let n = 0; n < 6; n++) {
        const { lease } = await runAgain(store, seq);
        expect((await settle(store, lease, endedAs("lost"), { max_lost: 0 })).settled[0]?.state).toBe(
          "pending",
        );
      }
    });

    test("a loss after a failure waits as long as the failure had to", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq } = await jobIn(store, "failed");
      clock.now += 2000;
      const { settled } = await settle(store, (await runAgain(store, seq)).lease, endedAs("lost"));
      expect(settled[0]).toMatchObject({ state: "failed", attempts: 1, next_run_at: clock.now + 2000 });
    });
  });
}
