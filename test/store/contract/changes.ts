import { describe, expect, test } from "bun:test";
import { type JobState, jobStates, settledStates } from "../../../src/domain/job.ts";
import type { Store } from "../../../src/store/store.ts";
import {
  allJobs,
  claim,
  exitWith,
  jobIn,
  newJob,
  refusalOf,
  register,
  runAgain,
  runningJob,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function changeContract(makeStore: MakeStore): void {
  describe("cancel", () => {
    for (const state of ["pending", "failed"] as const) {
      test(`a ${state} job is cancelled at once and not run any more`, async () => {
        await using temp = await makeStore();
        const { store, clock } = temp;
        const { seq, ...before } = await jobIn(store, state);
        clock.now += 10_000;
        const cancelled = {
          ...before,
          seq,
          state: "cancelled",
          next_run_at: null,
          finished_at: clock.now,
          updated_at: clock.now,
        } as const;
        expect(await store.jobs.cancel([seq])).toEqual([cancelled]);
        expect(await store.jobs.find(before.id)).toEqual(cancelled);
        await register(store, "worker-a");
        expect(await claim(store)).toEqual([]);
        expect(await claim(store, { only: seq })).toEqual([]);
      });
    }

    test("a scheduled job is cancelled and does not run when its moment comes", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq } = await store.jobs.enqueue(newJob({ run_at: clock.now + 1000 }));
      await store.jobs.cancel([seq]);
      clock.now += 2000;
      await register(store, "worker-a");
      expect(await claim(store)).toEqual([]);
    });

    test("a processing job goes on processing, and its worker is told once it asks", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const process_id = await register(store, "worker-a");
      await store.jobs.enqueue(newJob());
      const [claimed] = await claim(store);
      const [marked] = await store.jobs.cancel([claimed!.job.seq]);
      expect(marked?.state).toBe("processing");
      expect((await store.leases.orders(process_id)).cancel).toEqual([claimed!.lease]);
      await store.jobs.cancel([claimed!.job.seq]);
      expect((await store.leases.orders(process_id)).cancel).toEqual([claimed!.lease]);
    });

    for (const state of ["completed", "dead", "cancelled"] as const) {
      test(`a ${state} job cannot be cancelled, and the others named with it stay as they are`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const process_id = await register(store, "worker-a");
        const waiting = await store.jobs.enqueue(newJob());
        const { seq: running } = (await claim(store))[0]!.job;
        const pending = await store.jobs.enqueue(newJob());
        const { seq } = await jobIn(store, state, { id: "ended" });
        const before = await allJobs(store);
        const refusal = await refusalOf(store.jobs.cancel([pending.seq, running, seq]));
        expect(refusal.kind).toBe("wrong_state");
        expect(refusal.message).toContain("ended");
        expect(await allJobs(store)).toEqual(before);
        expect((await store.leases.orders(process_id)).cancel).toEqual([]);
        expect((await store.jobs.cancel([waiting.seq, pending.seq])).map((job) => job.state)).toEqual([
          "processing",
          "cancelled",
        ]);
      });
    }
  });

  describe("retry", () => {
    for (const state of jobStates.filter((state) => state !== "processing")) {
      test(`a ${state} job becomes pending with a fresh count, and may run at once`, async () => {
        await using temp = await makeStore();
        const { store, clock } = temp;
        const { finished_at, ...before } = await jobIn(store, state);
        clock.now += 500;
        const [retried] = await store.jobs.retry([before.seq]);
        expect(retried).toEqual({
          ...before,
          state: "pending",
          attempts: 0,
          next_run_at: clock.now,
          updated_at: clock.now,
          finished_at: null,
        });
        expect(await store.jobs.find(before.id)).toEqual(retried!);
        await register(store, "worker-a");
        expect((await claim(store)).map(({ job }) => job.seq)).toEqual([before.seq]);
      });
    }

    test("a job scheduled for later runs now when retried", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq } = await store.jobs.enqueue(newJob({ run_at: clock.now + 3_600_000 }));
      await store.jobs.retry([seq]);
      await register(store, "worker-a");
      expect((await claim(store)).length).toBe(1);
    });

    test("a fresh count gives all retries again, and the attempts go on numbering", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { job, lease } = await runningJob(store, { max_retries: 0 });
      await settle(store, lease, exitWith(1));
      await store.jobs.retry([job.seq]);
      const again = await runAgain(store, job.seq);
      expect(again.attempt).toBe(2);
      const { settled } = await settle(store, again.lease, exitWith(1));
      expect(settled[0]).toMatchObject({ state: "dead", attempts: 1 });
      expect((await store.jobs.attempts(job.seq)).length).toBe(2);
    });

    test("losses before the retry no longer count", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const lost = exitWith(0, { result: "lost", exit_code: null, error: "lost" });
      const { job, lease } = await runningJob(store);
      await settle(store, lease, lost, { max_lost: 2 });
      await store.jobs.retry([job.seq]);
      const { settled } = await settle(store, (await runAgain(store, job.seq)).lease, lost, { max_lost: 2 });
      expect(settled[0]?.state).toBe("pending");
    });

    refusals(makeStore, "retry", (store, seqs, only) => store.jobs.retry(seqs, only));
  });

  describe("delete", () => {
    for (const state of jobStates.filter((state) => state !== "processing")) {
      test(`a ${state} job is removed with everything about it`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const ran = state === "pending" || state === "cancelled" ? 0 : 1;
        const { seq } = await jobIn(store, state, { tags: ["x"], id: "again" });
        const other = await store.jobs.enqueue(newJob({ tags: ["x"] }));
        expect(await store.jobs.delete([seq])).toEqual([{ seq, attempts: ran }]);
        expect((await allJobs(store)).map((job) => job.seq)).toEqual([other.seq]);
        const tagged = async () =>
          (await store.jobs.list({ tag: "x" }, { limit: 0 })).jobs.map(({ seq }) => seq);
        expect(await tagged()).toEqual([other.seq]);
        await store.jobs.enqueue(newJob({ id: "again" }));
        expect(await tagged()).toEqual([other.seq]);
      });
    }

    test("as many attempts are named as the job ever had, also after a retry by hand", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { seq } = await jobIn(store, "dead");
      await store.jobs.retry([seq]);
      await settle(store, (await runAgain(store, seq)).lease, exitWith(0));
      expect(await store.jobs.delete([seq])).toEqual([{ seq, attempts: 2 }]);
    });

    refusals(makeStore, "delete", (store, seqs, only) => store.jobs.delete(seqs, only));
  });

  describe("of several", () => {
    const verbs: Record<string, (store: Store, seqs: number[]) => Promise<readonly unknown[]>> = {
      cancel: (store, seqs) => store.jobs.cancel(seqs),
      retry: (store, seqs) => store.jobs.retry(seqs),
      delete: (store, seqs) => store.jobs.delete(seqs),
    };
    for (const [name, verb] of Object.entries(verbs)) {
      test(`${name} of no job does nothing`, async () => {
        await using temp = await makeStore();
        expect(await verb(temp.store, [])).toEqual([]);
      });

      test(`${name} of a job named twice acts on it once`, async () => {
        await using temp = await makeStore();
        const { seq } = await temp.store.jobs.enqueue(newJob());
        const other = await temp.store.jobs.enqueue(newJob());
        expect((await verb(temp.store, [seq, other.seq, seq])).length).toBe(2);
        const { total } = await temp.store.jobs.list({}, { limit: 0 });
        expect((await temp.store.stats.read()).total).toBe(total);
      });

      test(`${name} of a job that is gone is refused, and the others stay as they are`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const { seq } = await store.jobs.enqueue(newJob());
        const gone = await store.jobs.enqueue(newJob());
        await store.jobs.delete([gone.seq]);
        const before = await allJobs(store);
        expect((await refusalOf(verb(store, [seq, gone.seq]))).kind).toBe("not_found");
        expect(await allJobs(store)).toEqual(before);
      });
    }
  });

  describe("the dead letter queue", () => {
    test("up to so many dead jobs are retried at a time, the newest first, and others are left alone", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const dead: number[] = [];
      for (let n = 0; n < 5; n++) dead.push((await jobIn(store, "dead", { queue: `q${n % 2}` })).seq);
      const others = await Promise.all([jobIn(store, "completed"), jobIn(store, "cancelled")]);
      clock.now += 1000;
      const retry = () => store.matching.change("retry", { state: "dead" }, { limit: 3 });
      expect(await retry()).toMatchObject({ changed: 3, older: dead[2] });
      const { jobs } = await store.jobs.list({ state: "pending" }, { limit: 0 });
      expect(jobs.map(({ seq }) => seq)).toEqual(dead.slice(2).toReversed());
      expect(jobs[0]).toMatchObject({ attempts: 0, next_run_at: clock.now, finished_at: null });
      expect(await retry()).toMatchObject({ changed: 2, older: undefined });
      expect(await retry()).toMatchObject({ changed: 0, older: undefined });
      for (const job of others) expect(await store.jobs.find(job.id)).toEqual(job);
    });

    test("up to so many dead jobs are removed at a time, the newest first, and others are left alone", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const completed = await jobIn(store, "completed");
      const dead: number[] = [];
      for (let n = 0; n < 5; n++) dead.push((await jobIn(store, "dead", { queue: `q${n % 2}` })).seq);
      const removed = async () => {
        const { removed } = await store.matching.change("delete", { state: "dead" }, { limit: 3 });
        return removed.toSorted((a, b) => a.seq - b.seq);
      };
      expect(await removed()).toEqual(dead.slice(2).map((seq) => ({ seq, attempts: 1 })));
      expect((await removed()).map(({ seq }) => seq)).toEqual(dead.slice(0, 2));
      expect(await removed()).toEqual([]);
      expect(await allJobs(store)).toEqual([completed]);
    });
  });

  describe("prune", () => {
    test("only completed and cancelled jobs that finished before the moment are removed", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const old: number[] = [];
      for (const state of jobStates) old.push((await jobIn(store, state)).seq);
      clock.now += 1000;
      const before = clock.now;
      for (const state of jobStates) await jobIn(store, state);
      const removed = await store.jobs.prune(before, 100);
      const [, , completed, , , cancelled] = old as [number, number, number, number, number, number];
      expect(removed.toSorted((a, b) => a.seq - b.seq)).toEqual([
        { seq: completed, attempts: 1 },
        { seq: cancelled, attempts: 0 },
      ]);
      expect((await allJobs(store)).length).toBe(10);
      expect(await store.jobs.prune(before, 100)).toEqual([]);
    });

    for (const state of settledStates) {
      test(`of ${state} jobs alone those are counted and removed that finished before the moment`, async () => {
        await using temp = await makeStore();
        const { store, clock } = temp;
        const old: number[] = [];
        for (const one of [...jobStates, state]) {
          const { seq } = await jobIn(store, one);
          if (one === state) old.push(seq);
        }
        clock.now += 1000;
        const before = clock.now;
        await jobIn(store, state);
        expect(await store.jobs.finishedBefore(before, state)).toBe(2);
        expect(await store.jobs.finishedBefore(before + 1, state)).toBe(3);
        expect(await store.jobs.finishedBefore(0, state)).toBe(0);
        const removed = await store.jobs.prune(before, 100, [state]);
        expect(removed.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual(old);
        expect(await store.jobs.finishedBefore(before, state)).toBe(0);
        expect((await allJobs(store)).length).toBe(jobStates.length);
      });
    }

    test("no more than the limit go at once, and every one in the end", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      for (let n = 0; n < 5; n++) await jobIn(store, n % 2 ? "completed" : "cancelled", { queue: `q${n}` });
      clock.now += 1;
      const sizes: number[] = [];
      for (let n = 0; n < 4; n++) sizes.push((await store.jobs.prune(clock.now, 2)).length);
      expect(sizes).toEqual([2, 2, 1, 0]);
      expect(await allJobs(store)).toEqual([]);
    });

    test("early jobs that finished late are not in the way of later ones that finished long ago", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const early: number[] = [];
      for (let n = 0; n < 5; n++) early.push((await store.jobs.enqueue(newJob())).seq);
      const late = await jobIn(store, "completed", { queue: "other" });
      const alsoLate = await jobIn(store, "cancelled");
      clock.now += 1000;
      const before = clock.now;
      await store.jobs.cancel(early);
      const removed = await store.jobs.prune(before, 2);
      expect(removed.map(({ seq }) => seq).toSorted((a, b) => a - b)).toEqual([late.seq, alsoLate.seq]);
    });
  });
}

function refusals(
  makeStore: MakeStore,
  name: string,
  verb: (store: Store, seqs: readonly number[], only?: JobState) => Promise<unknown>,
): void {
  test(`${name} of a processing job is refused, and the others named with it stay as they are`, async () => {
    await using temp = await makeStore();
    const { store } = temp;
    const { seq: dead } = await jobIn(store, "dead");
    const { seq: running } = await jobIn(store, "processing", { id: "busy" });
    const before = await allJobs(store);
    const refusal = await refusalOf(verb(store, [dead, running]));
    expect(refusal.kind).toBe("wrong_state");
    expect(refusal.message).toContain("busy");
    expect(await allJobs(store)).toEqual(before);
    expect((await store.jobs.attempts(dead)).length).toBe(1);
  });

  test(`${name} of dead jobs only is refused when one is in another state, and none is touched`, async () => {
    await using temp = await makeStore();
    const { store } = temp;
    const { seq: dead } = await jobIn(store, "dead");
    const { seq: other } = await jobIn(store, "completed", { id: "fine" });
    const before = await allJobs(store);
    const refusal = await refusalOf(verb(store, [dead, other], "dead"));
    expect(refusal.kind).toBe("wrong_state");
    expect(refusal.message).toContain("fine");
    expect(await allJobs(store)).toEqual(before);
    await verb(store, [dead], "dead");
    expect((await store.jobs.list({ state: "dead" }, { limit: 0 })).total).toBe(0);
  });
}
