import { describe, expect, test } from "bun:test";
import { jobStates } from "../../../src/domain/job.ts";
import type { Store } from "../../../src/store/store.ts";
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
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function statsContract(makeStore: MakeStore): void {
  describe("stats", () => {
    test("an empty queue has nothing but zeros, and no rates", async () => {
      await using temp = await makeStore();
      expect(await temp.store.stats.read()).toEqual({
        pending: 0,
        processing: 0,
        completed: 0,
        failed: 0,
        dead: 0,
        cancelled: 0,
        total: 0,
        active_workers: 0,
        success_runs: 0,
        failed_runs: 0,
        success_rate: null,
        avg_duration: null,
      });
    });

    test("every state is counted, and workers are, not processes", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (const [n, state] of jobStates.entries()) {
        for (let times = 0; times <= n; times++) await jobIn(store, state, { queue: `q${times}` });
      }
      for (const { process_id } of await store.workers.processes()) await store.workers.forget(process_id);
      await register(store, "worker-a", "worker-b");
      await register(store, "worker-c");
      expect(await store.stats.read()).toEqual({
        pending: 1,
        processing: 2,
        completed: 3,
        failed: 4,
        dead: 5,
        cancelled: 6,
        total: 21,
        active_workers: 3,
        success_runs: 3,
        failed_runs: 9,
        success_rate: 3 / 8,
        avg_duration: 1,
      });
      await expectCountsToAgree(store);
    });

    test("the counts agree with a full listing after every step of many lives", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { jobs } = store;
      const seqs: number[] = [];
      const steps: (() => Promise<unknown>)[] = [
        async () => seqs.push((await jobIn(store, "failed", { queue: "a" })).seq),
        async () => seqs.push((await jobIn(store, "dead", { queue: "b" })).seq),
        async () => seqs.push((await jobIn(store, "completed", { queue: "a" })).seq),
        async () => seqs.push((await jobIn(store, "processing", { queue: "b" })).seq),
        () => jobs.retry([seqs[0]!, seqs[1]!]),
        async () => settle(store, (await runAgain(store, seqs[1]!)).lease, exitWith(0, { duration: 3 })),
        () => jobs.retry([seqs[2]!]),
        () => jobs.cancel([seqs[0]!, seqs[3]!]),
        async () => settle(store, (await runAgain(store, seqs[2]!)).lease, endedAs("lost")),
        async () => settle(store, (await runAgain(store, seqs[2]!)).lease, endedAs("released")),
        () => jobIn(store, "dead", { queue: "c" }),
        () => store.matching.change("retry", { state: "dead" }, { limit: 1 }),
        () => jobIn(store, "dead", { queue: "c" }),
        () => store.matching.change("delete", { state: "dead" }, { limit: 1 }),
        () => jobs.delete([seqs[1]!]),
        () => jobIn(store, "completed", { queue: "d" }),
        async () => {
          clock.now++;
          await jobs.prune(clock.now, 10);
        },
      ];
      for (const step of steps) {
        await step();
        await expectCountsToAgree(store);
      }
    });

    test("runs that ever succeeded or failed stay counted when their jobs go or start anew", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await jobIn(store, "completed");
      const { seq } = await jobIn(store, "dead");
      await jobIn(store, "dead");
      await jobIn(store, "failed");
      const totals = async () => {
        const { success_runs, failed_runs, total } = await store.stats.read();
        return { success_runs, failed_runs, total };
      };
      expect(await totals()).toEqual({ success_runs: 1, failed_runs: 3, total: 4 });
      await store.jobs.retry([seq]);
      await store.jobs.delete([seq]);
      await store.matching.change("delete", { state: "dead" }, { limit: 10 });
      clock.now += 1;
      await store.jobs.prune(clock.now, 10);
      expect(await totals()).toEqual({ success_runs: 1, failed_runs: 3, total: 1 });
    });

    test("only charged runs count as failed, each of a job's", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { job, lease } = await runningJob(store, { max_retries: 9 });
      await settle(store, lease, exitWith(1));
      for (const ending of [
        endedAs("released"),
        endedAs("lost"),
        endedAs("rebooted"),
        endedAs("timed_out", { exit_code: 124 }),
        endedAs("signalled"),
        endedAs("not_started", { exit_code: 127 }),
        endedAs("cancelled"),
      ]) {
        clock.now += 3_600_000;
        await settle(store, (await runAgain(store, job.seq)).lease, ending);
      }
      expect(await store.stats.read()).toMatchObject({ success_runs: 0, failed_runs: 4, cancelled: 1 });
    });

    test("the mean duration is that of the last attempts of the completed jobs present", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const run = async (duration: number, exit_code = 0) => {
        const { job, lease } = await runningJob(store);
        await settle(store, lease, exitWith(exit_code, { duration }));
        return job.seq;
      };
      const mean = async () => (await store.stats.read()).avg_duration;
      const failed = await run(100, 1);
      expect(await mean()).toBeNull();
      const first = await run(0.5);
      await run(1.5);
      expect(await mean()).toBe(1);
      clock.now += 2000;
      await settle(store, (await runAgain(store, failed)).lease, exitWith(0, { duration: 4 }));
      expect(await mean()).toBe(2);
      await store.jobs.retry([failed]);
      expect(await mean()).toBe(1);
      await store.jobs.delete([first]);
      expect(await mean()).toBe(1.5);
    });

    test("the success rate is of completed and dead jobs", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const rate = async () => (await store.stats.read()).success_rate;
      await jobIn(store, "failed");
      await jobIn(store, "cancelled");
      expect(await rate()).toBeNull();
      await jobIn(store, "dead");
      expect(await rate()).toBe(0);
      for (let n = 0; n < 3; n++) await jobIn(store, "completed");
      expect(await rate()).toBe(0.75);
    });
  });

  describe("outstanding", () => {
    test("pending, scheduled, failed and processing jobs are, in the queues asked for", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      for (const state of jobStates) await jobIn(store, state, { queue: "a" });
      await store.jobs.enqueue(newJob({ queue: "b", run_at: clock.now + 1000 }));
      expect(await store.stats.outstanding(null)).toBe(4);
      expect(await store.stats.outstanding(["a"])).toBe(3);
      expect(await store.stats.outstanding(["b"])).toBe(1);
      expect(await store.stats.outstanding(["b", "a"])).toBe(4);
      expect(await store.stats.outstanding(["c"])).toBe(0);
    });

    test("nothing is when the last job is done", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await register(store, "worker-a");
      await store.jobs.enqueue(newJob());
      const [claimed] = await claim(store);
      expect(await store.stats.outstanding(null)).toBe(1);
      await settle(store, claimed!.lease, exitWith(0));
      expect(await store.stats.outstanding(null)).toBe(0);
    });
  });
}

/** What is counted, and what a list says it would show, is what a full listing shows. */
export async function expectCountsToAgree(store: Store): Promise<void> {
  const jobs = await allJobs(store);
  const stats = await store.stats.read();
  const queues = [...new Set(jobs.map(({ queue }) => queue))];
  const open = (queue?: string) =>
    jobs.filter(
      (job) =>
        (job.state === "pending" || job.state === "processing" || job.state === "failed") &&
        (queue === undefined || job.queue === queue),
    ).length;
  const counted: Record<string, number> = { total: stats.total, open: await store.stats.outstanding(null) };
  const listed: Record<string, number> = { total: jobs.length, open: open() };
  for (const state of jobStates) {
    counted[state] = stats[state];
    listed[state] = jobs.filter((job) => job.state === state).length;
    for (const queue of queues) {
      const page = await store.jobs.list({ state, queue }, { limit: 0 });
      counted[`${state} in ${queue}`] = page.total;
      counted[`${state} in ${queue}, listed`] = page.jobs.length;
      const there = jobs.filter((job) => job.state === state && job.queue === queue).length;
      listed[`${state} in ${queue}`] = there;
      listed[`${state} in ${queue}, listed`] = there;
    }
  }
  for (const queue of queues) {
    counted[`open in ${queue}`] = await store.stats.outstanding([queue]);
    listed[`open in ${queue}`] = open(queue);
  }
  expect(counted).toEqual(listed);
  const completed = jobs.filter(({ state }) => state === "completed");
  const seconds = completed.reduce((sum, job) => sum + job.last_duration!, 0);
  if (completed.length === 0) expect(stats.avg_duration).toBeNull();
  else expect(stats.avg_duration).toBeCloseTo(seconds / completed.length, 2);
}
