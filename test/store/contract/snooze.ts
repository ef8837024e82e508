import { describe, expect, test } from "bun:test";
import type { Ending } from "../../../src/domain/attempt.ts";
import type { Settlement } from "../../../src/domain/lease.ts";
import { mostSnoozes } from "../../../src/domain/snooze.ts";
import {
  claim,
  endedAs,
  exitWith,
  newJob,
  refusalOf,
  register,
  runAgain,
  runningJob,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function snoozeContract(makeStore: MakeStore): void {
  describe("snooze", () => {
    test.each([0, 1, 75])(
      "lets a job that exits with %p wait uncharged, and tells it of the attempt",
      async (code) => {
        await using temp = await makeStore();
        const { store, clock } = temp;
        const { job, lease } = await runningJob(store);
        await store.leases.snooze(job.seq, 1, 90_000);
        await store.leases.snooze(job.seq, 1, 30_000);
        const { settled } = await settle(store, lease, exitWith(code));
        expect(settled[0]).toMatchObject({
          state: "pending",
          attempts: 0,
          next_run_at: clock.now + 30_000,
          finished_at: null,
          last_exit_code: code,
          last_error: null,
        });
        const [attempt] = await store.jobs.attempts(job.seq);
        expect(attempt).toMatchObject({ result: "snoozed", exit_code: code, error: null });
        expect(await store.stats.read()).toMatchObject({ pending: 1, success_runs: 0, failed_runs: 0 });
      },
    );

    test("keeps what was charged before, and counts for one run only", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const first = await runningJob(store);
      const { seq } = first.job;
      await settle(store, first.lease, exitWith(1));
      clock.now += 10_000;
      const second = await runAgain(store, seq);
      await store.leases.snooze(seq, 2, 1000);
      const put = await settle(store, second.lease, exitWith(0));
      expect(put.settled[0]).toMatchObject({ state: "pending", attempts: 1 });
      clock.now += 1000;
      const third = await runAgain(store, seq);
      const done = await settle(store, third.lease, exitWith(0));
      expect(done.settled[0]).toMatchObject({ state: "completed", attempts: 2 });
    });

    test("neither keeps a job from being cancelled, nor what is killed or times out from failing", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const after = async (ending: Ending, isCancelled = false) => {
        const { job, lease } = await runningJob(store);
        await store.leases.snooze(job.seq, 1, 1000);
        if (isCancelled) await store.jobs.cancel([job.seq]);
        const { state, attempts } = (await settle(store, lease, ending)).settled[0]!;
        return { state, attempts };
      };
      expect(await after(exitWith(0), true)).toEqual({ state: "cancelled", attempts: 0 });
      expect(await after(exitWith(1), true)).toEqual({ state: "cancelled", attempts: 0 });
      expect(await after(endedAs("signalled"))).toEqual({ state: "failed", attempts: 1 });
      expect(await after(endedAs("timed_out", { exit_code: 124 }))).toEqual({ state: "failed", attempts: 1 });
      expect(await after(endedAs("lost"))).toEqual({ state: "pending", attempts: 0 });
    });

    test("counts also where another worker takes the command over", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const dead = await register(store, "worker-dead");
      const { seq } = await store.jobs.enqueue(newJob());
      await claim(store, { worker_ids: ["worker-dead"] });
      await store.leases.snooze(seq, 1, 5000);
      const [taken] = await store.leases.takeOver(dead, await register(store, "worker-next"));
      const { settled } = await settle(store, taken!.lease, exitWith(0));
      expect(settled[0]).toMatchObject({ state: "pending", next_run_at: clock.now + 5000 });
    });

    test("is refused to an attempt that does not run any more", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease } = await runningJob(store);
      const refused = (attempt: number, seq = job.seq) => refusalOf(store.leases.snooze(seq, attempt, 1000));
      expect(await refused(2)).toMatchObject({ kind: "wrong_state" });
      await settle(store, lease, exitWith(0));
      expect(await refused(1)).toMatchObject({
        kind: "wrong_state",
        message: `attempt 1 of job ${job.id} does not run any more`,
      });
      expect(await refused(1, job.seq + 1)).toMatchObject({ kind: "not_found" });
    });

    test("is refused after many runs in a row that ended so, until one ends otherwise", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { seq } = await store.jobs.enqueue(newJob());
      await register(store, "worker-a");
      const turn = async (ended: readonly Settlement[]) => {
        const { claimed } = await store.leases.exchange({
          started: [],
          ended,
          settings: { backoff_base: 0, backoff_max: 0, backoff_jitter: 0, max_lost: 3 },
          wanted: { worker_ids: ["worker-a"], queues: null },
        });
        return claimed[0]!;
      };
      let run = await turn([]);
      for (let n = 1; n <= mostSnoozes; n++) {
        await store.leases.snooze(seq, run.attempt, 0);
        run = await turn([{ lease: run.lease, ending: exitWith(0) }]);
      }
      const refused = await refusalOf(store.leases.snooze(seq, run.attempt, 0));
      expect(refused.message).toContain(`was put off ${mostSnoozes} times in a row`);
      // Whatever was put off before a run that was judged counts no more.
      for (let judged = 0; judged < 2; judged++) {
        run = await turn([{ lease: run.lease, ending: exitWith(1) }]);
        await store.leases.snooze(seq, run.attempt, 0);
        run = await turn([{ lease: run.lease, ending: exitWith(0) }]);
        await store.leases.snooze(seq, run.attempt, 0);
      }
    });
  });
}
