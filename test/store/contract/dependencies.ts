import { describe, expect, test } from "bun:test";
import type { Parent } from "../../../src/domain/dependencies.ts";
import type { RefusalKind } from "../../../src/domain/errors.ts";
import type { Job, JobState, NewJob } from "../../../src/domain/job.ts";
import type { Store } from "../../../src/store/store.ts";
import {
  asyncly,
  claim,
  exitWith,
  jobIn,
  newJob,
  refusalOf,
  register,
  runAgain,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";
import { expectCountsToAgree } from "./stats.ts";

const after = (...parents: readonly (Job | string)[]): Pick<NewJob, "after"> => ({
  after: parents.map((parent) => ({
    id: typeof parent === "string" ? parent : parent.id,
    if_fails: "cancel",
  })),
});

const withPolicy = (parent: Job, if_fails: Parent["if_fails"]): Pick<NewJob, "after"> => ({
  after: [{ id: parent.id, if_fails }],
});

export function dependencyContract(makeStore: MakeStore): void {
  /** What became of a job; null when it is no more. */
  const stateOf = async ({ store }: TempStore, { seq }: Job): Promise<JobState | null> =>
    (await store.jobs.states([seq])).get(seq) ?? null;

  let workers = 0;

  /** What another worker gets. */
  const claimedIds = async (store: Store) => {
    const worker_id = `worker-${++workers}`;
    await register(store, worker_id);
    return (await claim(store, { worker_ids: [worker_id] })).map(({ job }) => job.id);
  };

  /** Runs a waiting job to its end. */
  async function end({ store }: TempStore, { seq }: Job, code: number): Promise<void> {
    await settle(store, (await runAgain(store, seq)).lease, exitWith(code));
  }

  describe("a job that comes after others", () => {
    test("waits until all of them have completed, and runs then, at once", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const a = await store.jobs.enqueue(newJob());
      const b = await store.jobs.enqueue(newJob());
      const child = await store.jobs.enqueue(newJob({ id: "child", priority: 5, ...after(a, b) }));
      expect(child).toMatchObject({ state: "pending", unmet: 2, next_run_at: null });
      await end(temp, a, 0);
      expect(await store.jobs.find("child")).toMatchObject({ unmet: 1, next_run_at: null });
      expect(await claimedIds(store)).toEqual([b.id]);
      expect(await claimedIds(store)).toEqual([]);
      const [running] = (await store.jobs.list({ state: "processing" }, { limit: 1 })).jobs;
      const lease = { job_seq: running!.seq, lease_seq: 1 };
      clock.now += 1000;
      await settle(store, lease, exitWith(0));
      expect(await store.jobs.find("child")).toMatchObject({ unmet: 0, next_run_at: clock.now });
      expect(await claimedIds(store)).toEqual(["child"]);
    });

    test("is claimed in the very turn that settles the last of them", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const parent = await store.jobs.enqueue(newJob());
      await store.jobs.enqueue(newJob({ id: "child", ...after(parent) }));
      const { lease, worker_id } = await runAgain(store, parent.seq);
      clock.now += 10;
      const { claimed } = await store.leases.exchange({
        started: [],
        ended: [{ lease, ending: exitWith(0) }],
        settings: { backoff_base: 2, backoff_max: 9, backoff_jitter: 0, max_lost: 3 },
        wanted: { worker_ids: [worker_id], queues: null },
      });
      expect(claimed.map(({ job }) => job)).toEqual([
        expect.objectContaining({ id: "child", unmet: 0, state: "processing", started_at: clock.now }),
      ]);
    });

    test("waits through its parents' retries, and for its own moment too", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const parent = await store.jobs.enqueue(newJob());
      const run_at = clock.now + 60_000;
      const child = await store.jobs.enqueue(newJob({ run_at, ...after(parent) }));
      await end(temp, parent, 1);
      expect(await stateOf(temp, child)).toBe("pending");
      clock.now += 10_000;
      await end(temp, parent, 0);
      expect(await store.jobs.find(child.id)).toMatchObject({ unmet: 0, next_run_at: run_at });
      expect(await claimedIds(store)).toEqual([]);
      clock.now = run_at;
      expect(await claimedIds(store)).toEqual([child.id]);
    });

    test("is held besides until it is released", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const parent = await store.jobs.enqueue(newJob());
      const child = await store.jobs.enqueue(newJob({ held: true, ...after(parent) }));
      await store.jobs.release([child.seq]);
      await store.jobs.hold([child.seq]);
      await end(temp, parent, 0);
      expect(await claimedIds(store)).toEqual([]);
      await store.jobs.release([child.seq]);
      expect(await claimedIds(store)).toEqual([child.id]);
    });

    test("waits for them still when it is released", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const parent = await store.jobs.enqueue(newJob());
      const child = await store.jobs.enqueue(newJob({ held: true, ...after(parent) }));
      await store.jobs.release([child.seq]);
      expect(await claimedIds(store)).toEqual([parent.id]);
      expect(await claimedIds(store)).toEqual([]);
    });

    for (const state of ["dead", "cancelled"] as const) {
      test(`is cancelled when one of them is ${state}, and so is what comes after it, with the reason`, async () => {
        await using temp = await makeStore();
        const { store, clock } = temp;
        const parent = await store.jobs.enqueue(newJob({ id: "parent", max_retries: 0 }));
        const child = await store.jobs.enqueue(newJob({ id: "child", queue: "q", ...after(parent) }));
        const grandchild = await store.jobs.enqueue(newJob({ ...after(child) }));
        const anyway = await store.jobs.enqueue(newJob({ ...withPolicy(child, "run") }));
        clock.now += 5;
        if (state === "dead") await end(temp, parent, 1);
        else await store.jobs.cancel([parent.seq]);
        expect(await store.jobs.find(child.id)).toMatchObject({
          state: "cancelled",
          last_error: `job parent, which it comes after, is ${state}`,
          finished_at: clock.now,
          unmet: 0,
        });
        expect(await store.jobs.find(grandchild.id)).toMatchObject({
          state: "cancelled",
          last_error: "job child, which it comes after, is cancelled",
        });
        expect(await claimedIds(store)).toEqual([anyway.id]);
        await expectCountsToAgree(store);
      });

      test(`that is to run all the same runs when one of them is ${state}`, async () => {
        await using temp = await makeStore();
        const parent = await temp.store.jobs.enqueue(newJob({ max_retries: 0 }));
        const child = await temp.store.jobs.enqueue(newJob(withPolicy(parent, "run")));
        if (state === "dead") await end(temp, parent, 1);
        else await temp.store.jobs.cancel([parent.seq]);
        expect(await claimedIds(temp.store)).toEqual([child.id]);
      });

      test(`that is to wait waits while one of them is ${state}, until that is retried and completes`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const parent = await store.jobs.enqueue(newJob({ max_retries: 0 }));
        const child = await store.jobs.enqueue(newJob(withPolicy(parent, "wait")));
        const grandchild = await store.jobs.enqueue(newJob(after(child)));
        if (state === "dead") await end(temp, parent, 1);
        else await store.jobs.cancel([parent.seq]);
        expect(await claimedIds(store)).toEqual([]);
        expect(await store.stats.outstanding(null)).toBe(2);
        expect(await store.stats.expected(null)).toBe(0);
        await store.jobs.retry([parent.seq]);
        expect(await store.stats.expected(null)).toBe(3);
        await end(temp, parent, 0);
        expect(await claimedIds(store)).toEqual([child.id]);
        expect(await stateOf(temp, grandchild)).toBe("pending");
      });

      test(`counts a parent at once that is ${state} when it is enqueued`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const parent = await jobIn(store, state);
        expect(await store.jobs.enqueue(newJob(after(parent)))).toMatchObject({ state: "cancelled" });
        expect(await store.jobs.enqueue(newJob(withPolicy(parent, "run")))).toMatchObject({ unmet: 0 });
        expect(await store.jobs.enqueue(newJob(withPolicy(parent, "wait")))).toMatchObject({ unmet: 1 });
        const list = [newJob(after(parent)), newJob(withPolicy(parent, "run"))];
        const { ids } = await store.jobs.enqueueAll(asyncly(list));
        const [first, second] = await Array.fromAsync(ids());
        expect((await store.jobs.find(first!)).state).toBe("cancelled");
        expect((await store.jobs.find(second!)).state).toBe("pending");
        await expectCountsToAgree(store);
      });
    }

    test("runs at once after those that have completed when it is enqueued", async () => {
      await using temp = await makeStore();
      const parent = await jobIn(temp.store, "completed");
      const child = await temp.store.jobs.enqueue(newJob(after(parent)));
      expect(child).toMatchObject({ unmet: 0, next_run_at: temp.clock.now });
      expect(await claimedIds(temp.store)).toEqual([child.id]);
    });

    test("runs when the last one that it waits for is removed, by whichever way", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const ways: ((parent: Job) => Promise<unknown>)[] = [
        (parent) => store.jobs.delete([parent.seq]),
        (parent) => store.matching.change("delete", { search: parent.id }, { limit: 100 }),
        () => store.matching.change("delete", { state: "dead" }, { limit: 10 }),
      ];
      const states = ["pending", "failed", "dead"] as const;
      for (const [n, remove] of ways.entries()) {
        const parent = await jobIn(store, states[n]!);
        const child = await store.jobs.enqueue(newJob(withPolicy(parent, "wait")));
        expect(child.unmet).toBe(1);
        await remove(parent);
        expect([n, await store.jobs.find(child.id)]).toEqual([n, expect.objectContaining({ unmet: 0 })]);
        expect(await claimedIds(store)).toEqual([child.id]);
      }
      await expectCountsToAgree(store);
    });

    test("does not run because what it waits for is old: that is not pruned before", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const parent = await jobIn(store, "cancelled");
      const child = await store.jobs.enqueue(newJob(withPolicy(parent, "wait")));
      const other = await jobIn(store, "cancelled");
      clock.now += 1000;
      const states = ["completed", "cancelled", "dead"] as const;
      expect(await store.jobs.finishedBefore(clock.now, "cancelled")).toBe(1);
      expect((await store.jobs.prune(clock.now, 10, states)).map(({ seq }) => seq)).toEqual([other.seq]);
      expect(await claimedIds(store)).toEqual([]);
      await store.jobs.retry([child.seq]);
      expect(await store.jobs.prune(clock.now, 10, states)).toHaveLength(1);
      expect(await stateOf(temp, child)).toBe("pending");
    });

    test("keeps what it waited for no longer when it is deleted itself", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const parent = await jobIn(store, "dead");
      const child = await store.jobs.enqueue(newJob(withPolicy(parent, "wait")));
      await store.jobs.delete([child.seq]);
      clock.now += 1000;
      expect((await store.jobs.prune(clock.now, 10, ["dead"])).map(({ seq }) => seq)).toEqual([parent.seq]);
    });

    test("that is retried by hand runs now, whatever its parents do later", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const parent = await store.jobs.enqueue(newJob({ max_retries: 0 }));
      const child = await store.jobs.enqueue(newJob(after(parent)));
      await store.jobs.retry([child.seq]);
      const { lease } = await runAgain(store, child.seq);
      await end(temp, parent, 1);
      expect(await stateOf(temp, child)).toBe("processing");
      await settle(store, lease, exitWith(0));
      expect(await stateOf(temp, child)).toBe("completed");
    });

    test("that is cancelled or removed itself does not come back", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const parent = await store.jobs.enqueue(newJob());
      const cancelled = await store.jobs.enqueue(newJob(after(parent)));
      const removed = await store.jobs.enqueue(newJob(after(parent)));
      await store.jobs.cancel([cancelled.seq]);
      await store.jobs.delete([removed.seq]);
      await end(temp, parent, 0);
      expect(await stateOf(temp, cancelled)).toBe("cancelled");
      expect(await stateOf(temp, removed)).toBe(null);
      expect(await claimedIds(store)).toEqual([]);
    });

    test("a whole family may be cancelled or removed at once", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const parent = await store.jobs.enqueue(newJob({ tags: ["t"] }));
      const child = await store.jobs.enqueue(newJob({ tags: ["t"], ...after(parent) }));
      await store.jobs.cancel([child.seq, parent.seq]);
      await store.jobs.retry([parent.seq]);
      const again = await store.jobs.enqueue(newJob({ tags: ["t"], ...after(parent) }));
      await store.matching.change("cancel", { tag: "t" }, { limit: 10 });
      expect(await stateOf(temp, again)).toBe("cancelled");
      await store.jobs.delete([parent.seq, child.seq, again.seq]);
      await expectCountsToAgree(store);
    });

    test("in a list may come after earlier ones of it, and after stored ones", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob({ id: "stored" }));
      const list = [
        newJob({ id: "first", ...after("stored") }),
        newJob({ id: "left", ...after("first") }),
        newJob({ id: "right", ...after("first") }),
        newJob({ id: "last", ...after("left", "right") }),
        newJob({ id: "free" }),
      ];
      await store.jobs.enqueueAll(asyncly(list));
      for (const id of ["stored", "free"]) expect(await claimedIds(store)).toEqual([id]);
      expect(await claimedIds(store)).toEqual([]);
      expect((await store.jobs.find("last")).unmet).toBe(2);
    });

    test("that there is not, or that comes later in the list, is refused, and nothing is stored", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      expect((await refusalOf(store.jobs.enqueue(newJob(after("nothere"))))).kind).toBe("not_found");
      const lists: readonly (readonly [NewJob[], RefusalKind])[] = [
        [[newJob(), newJob(after("nothere"))], "not_found"],
        [[newJob({ id: "a", ...after("b") }), newJob({ id: "b" })], "conflict"],
      ];
      for (const [list, kind] of lists)
        expect((await refusalOf(store.jobs.enqueueAll(asyncly(list)))).kind).toBe(kind);
      expect(await store.stats.outstanding(null)).toBe(0);
    });

    test("is found with its family, oldest first", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const a = await store.jobs.enqueue(newJob({ id: "a" }));
      const b = await store.jobs.enqueue(newJob({ id: "b" }));
      const c = await store.jobs.enqueue(
        newJob({ id: "c", after: [{ id: "b", if_fails: "run" }, ...after(a).after] }),
      );
      await store.jobs.enqueue(newJob({ id: "d", ...after(b) }));
      await end(temp, a, 0);
      expect(await store.jobs.relatives(c.seq, 10)).toEqual({
        after: [
          { seq: a.seq, id: "a", state: "completed", if_fails: "cancel", waits: false },
          { seq: b.seq, id: "b", state: "pending", if_fails: "run", waits: true },
        ],
        before: [],
      });
      const { before } = await store.jobs.relatives(b.seq, 10);
      expect(before.map(({ id }) => id)).toEqual(["c", "d"]);
      expect((await store.jobs.relatives(b.seq, 1)).before).toHaveLength(1);
    });

    test("waits for a stuck one as long as that is held", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const held = await store.jobs.enqueue(newJob({ held: true, queue: "a" }));
      const child = await store.jobs.enqueue(newJob({ queue: "b", ...after(held) }));
      await store.jobs.enqueue(newJob({ queue: "b", ...after(child) }));
      await store.jobs.enqueue(newJob({ queue: "b" }));
      expect(await store.stats.expected(null)).toBe(1);
      await store.jobs.release([held.seq]);
      expect(await store.stats.expected(["b"])).toBe(3);
    });
  });
}
