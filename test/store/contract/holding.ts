import { describe, expect, test } from "bun:test";
import type { JobEdit } from "../../../src/domain/edit.ts";
import { Refusal } from "../../../src/domain/errors.ts";
import {
  allJobs,
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
import type { MakeStore } from "../../support/temp-store.ts";
import { expectCountsToAgree } from "./stats.ts";

const settledOrRunning = ["processing", "completed", "dead", "cancelled"] as const;

export function holdingContract(makeStore: MakeStore): void {
  describe("a held job", () => {
    test("is not claimed, however long it waits, and is nobody's next moment", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await register(store, "worker-a");
      const job = await store.jobs.enqueue(newJob({ held: true, priority: 5 }));
      expect(job).toMatchObject({ state: "pending", held: true, next_run_at: null });
      clock.now += 86_400_000;
      expect(await claim(store)).toEqual([]);
      expect(await claim(store, { only: job.seq })).toEqual([]);
      await store.jobs.enqueue(newJob({ id: "later" }));
      expect((await claim(store)).map(({ job }) => job.id)).toEqual(["later"]);
    });

    test("runs in its own place once it is released", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await register(store, "worker-a");
      const { seq } = await store.jobs.enqueue(newJob({ id: "first", held: true }));
      await store.jobs.enqueue(newJob({ id: "second" }));
      clock.now += 5000;
      const [released] = await store.jobs.release([seq]);
      expect(released).toMatchObject({ held: false, next_run_at: clock.now, updated_at: clock.now });
      expect((await claim(store)).map(({ job }) => job.id)).toEqual(["first"]);
    });

    test("that is released before its moment waits for that", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await register(store, "worker-a");
      const run_at = clock.now + 5000;
      const { seq } = await store.jobs.enqueue(newJob({ held: true, run_at }));
      expect((await store.jobs.release([seq]))[0]!.next_run_at).toBe(run_at);
      expect(await claim(store)).toEqual([]);
      clock.now = run_at;
      expect(await claim(store)).toHaveLength(1);
    });

    test("is held among those that come by a list too", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await register(store, "worker-a");
      await store.jobs.enqueueAll(asyncly([newJob({ held: true }), newJob()]));
      expect((await allJobs(store)).map(({ held, next_run_at }) => [held, next_run_at === null])).toEqual([
        [false, false],
        [true, true],
      ]);
      expect(await claim(store)).toHaveLength(1);
    });

    test("may be held while it waits, for its retry too, and again", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const waiting = await jobIn(store, "pending");
      const failed = await jobIn(store, "failed");
      const held = await store.jobs.hold([waiting.seq, failed.seq]);
      expect(held.map(({ state, held, next_run_at }) => [state, held, next_run_at])).toEqual([
        ["pending", true, null],
        ["failed", true, null],
      ]);
      await store.jobs.hold([waiting.seq]);
      await store.jobs.release([failed.seq]);
      await register(store, "worker-a");
      expect((await claim(store)).map(({ job }) => job.id)).toEqual([failed.id]);
    });

    test("runs when it is retried by hand, and does not when it is cancelled", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const first = await store.jobs.enqueue(newJob({ held: true }));
      const second = await store.jobs.enqueue(newJob({ held: true }));
      expect((await store.jobs.retry([first.seq]))[0]).toMatchObject({ held: false, state: "pending" });
      expect((await store.jobs.cancel([second.seq]))[0]).toMatchObject({ held: false, state: "cancelled" });
      await register(store, "worker-a");
      expect((await claim(store)).map(({ job }) => job.seq)).toEqual([first.seq]);
    });

    test("is not expected to come to its end, and is unsettled all the same", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob({ held: true, queue: "a" }));
      await store.jobs.enqueue(newJob({ queue: "b" }));
      expect(await store.stats.outstanding(null)).toBe(2);
      expect(await store.stats.expected(null)).toBe(1);
      expect(await store.stats.expected(["a"])).toBe(0);
      expect(await store.stats.expected(["b"])).toBe(1);
    });

    test("only what waits is held, only what is held is released, and one refusal keeps all as they are", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const waiting = await jobIn(store, "pending");
      for (const state of settledOrRunning) {
        const { seq } = await jobIn(store, state);
        expect((await refusalOf(store.jobs.hold([waiting.seq, seq]))).kind).toBe("wrong_state");
        expect((await refusalOf(store.jobs.release([seq]))).kind).toBe("wrong_state");
      }
      expect((await refusalOf(store.jobs.release([waiting.seq]))).kind).toBe("wrong_state");
      expect((await store.jobs.find(waiting.id)).held).toBe(false);
    });

    test("all that match are held and released, and the others left alone", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (const state of ["pending", "failed", ...settledOrRunning] as const)
        await jobIn(store, state, { tags: ["t"] });
      await store.jobs.enqueue(newJob());
      const all = { limit: 100 };
      expect(await store.matching.change("hold", { tag: "t" }, all)).toMatchObject({ changed: 2, left: 4 });
      expect(await store.matching.change("hold", { tag: "t" }, all)).toMatchObject({ changed: 0, left: 6 });
      expect((await allJobs(store)).filter(({ held }) => held)).toHaveLength(2);
      expect(await store.matching.change("release", {}, all)).toMatchObject({ changed: 2, left: 5 });
      expect((await allJobs(store)).filter(({ held }) => held)).toEqual([]);
    });
  });

  describe("an edit", () => {
    test("changes what it says of a waiting job, and nothing else", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const before = await store.jobs.enqueue(newJob({ tags: ["old", "both"], env: { A: "1" } }));
      clock.now += 1000;
      const edit: JobEdit = {
        command: "false",
        queue: "other",
        priority: 4,
        max_retries: 0,
        timeout: 1.5,
        tags: ["both", "new"],
        cwd: "/tmp",
        env: { B: "2" },
        key: "k",
      };
      const after = await store.jobs.edit(before.seq, () => edit);
      expect(after).toEqual({ ...before, ...edit, updated_at: clock.now } as typeof after);
      expect(await store.jobs.find(before.id)).toEqual(after);
      const tagged = async (tag: string) => (await store.jobs.list({ tag }, { limit: 0 })).total;
      expect([await tagged("old"), await tagged("both"), await tagged("new")]).toEqual([0, 1, 1]);
      await expectCountsToAgree(store);
    });

    test("moves a job to another queue's workers, at its priority, in its own place", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await register(store, "worker-a");
      const { seq } = await store.jobs.enqueue(newJob({ id: "first", queue: "a" }));
      await store.jobs.enqueue(newJob({ id: "second", queue: "b", priority: 2 }));
      await store.jobs.edit(seq, () => ({ queue: "b", priority: 2 }));
      expect(await claim(store, { queues: ["a"] })).toEqual([]);
      expect((await claim(store, { queues: ["b"] })).map(({ job }) => job.id)).toEqual(["first"]);
    });

    test("of its moment takes effect: later, sooner, and for a retry", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await register(store, "worker-a");
      const { seq } = await store.jobs.enqueue(newJob());
      const run_at = clock.now + 60_000;
      expect(await store.jobs.edit(seq, () => ({ run_at }))).toMatchObject({ run_at, next_run_at: run_at });
      expect(await claim(store)).toEqual([]);
      await store.jobs.edit(seq, () => ({ run_at: clock.now - 1 }));
      const [claimed] = await claim(store);
      await settle(store, claimed!.lease, exitWith(1));
      await store.jobs.edit(seq, () => ({ run_at: clock.now }));
      expect(await claim(store)).toHaveLength(1);
    });

    test("that says nothing of its moment leaves the moment of a retry", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq, next_run_at } = await jobIn(store, "failed");
      clock.now += 1;
      expect(await store.jobs.edit(seq, () => ({ priority: 5 }))).toMatchObject({
        state: "failed",
        next_run_at,
        priority: 5,
      });
    });

    test("leaves a held job held, and its moment counts when it is released", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await register(store, "worker-a");
      const { seq } = await store.jobs.enqueue(newJob({ held: true }));
      const run_at = clock.now + 1000;
      expect(await store.jobs.edit(seq, () => ({ run_at }))).toMatchObject({ held: true, next_run_at: null });
      expect(await claim(store)).toEqual([]);
      expect((await store.jobs.release([seq]))[0]!.next_run_at).toBe(run_at);
    });

    test("is refused for a job that does not wait, and changes nothing", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (const state of settledOrRunning) {
        const before = await jobIn(store, state);
        expect((await refusalOf(store.jobs.edit(before.seq, () => ({ command: "rm" })))).kind).toBe(
          "wrong_state",
        );
        expect(await store.jobs.find(before.id)).toEqual(before);
      }
      expect((await refusalOf(store.jobs.edit(4711, () => ({ command: "x" })))).kind).toBe("not_found");
    });

    test("that is refused by whoever makes it changes nothing, and one that changes nothing leaves the job as it is", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const seen = await store.jobs.enqueue(newJob({ tags: ["a"], env: { A: "1" } }));
      clock.now += 1000;
      const refuse = () => {
        throw new Refusal("conflict", "it was changed meanwhile");
      };
      expect((await refusalOf(store.jobs.edit(seen.seq, refuse))).message).toBe("it was changed meanwhile");
      expect(await store.jobs.edit(seen.seq, () => ({}))).toEqual(seen);
      expect(await store.jobs.find(seen.id)).toEqual(seen);
    });

    test("is made of the job as it is: of many at one moment none undoes another", async () => {
      await using temp = await makeStore();
      const stores = [temp.store, await temp.another(), await temp.another()];
      const { seq, id } = await temp.store.jobs.enqueue(newJob());
      const names = Array.from({ length: 9 }, (_, n) => `V${n}`);
      await Promise.all(
        names.map((name, n) =>
          stores[n % 3]!.jobs.edit(seq, ({ env }) => ({ env: { ...env, [name]: "set" } })),
        ),
      );
      expect(Object.keys((await temp.store.jobs.find(id)).env).toSorted()).toEqual(names);
    });

    test("reaches the next run", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const failed = await jobIn(store, "failed", { command: "old" });
      await store.jobs.edit(failed.seq, () => ({ command: "new" }));
      clock.now += 3_600_000;
      expect((await runAgain(store, failed.seq)).job.command).toBe("new");
    });

    test("of a dead job puts it back into a queue in the same step, and of another one nothing", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const dead = await jobIn(store, "dead", { tags: ["a"], env: { A: "1" } });
      clock.now += 5000;
      const edit: JobEdit = { command: "new", queue: "b", tags: ["b"], max_retries: 7, rules: { nice: 3 } };
      const job = await store.jobs.retryEdited(dead.seq, () => edit);
      expect(job).toMatchObject({
        ...edit,
        state: "pending",
        attempts: 0,
        next_run_at: clock.now,
        env: { A: "1" },
      });
      expect(await store.jobs.find(dead.id)).toEqual(job);
      expect((await store.jobs.list({ tag: "b" }, { limit: 0 })).jobs).toEqual([job]);
      await expectCountsToAgree(store);
      expect((await runAgain(store, dead.seq)).attempt).toBe(2);
      for (const state of ["processing", "completed", "pending", "failed", "cancelled"] as const) {
        const { seq } = await jobIn(store, state);
        expect((await refusalOf(store.jobs.retryEdited(seq, () => ({ command: "x" })))).kind).toBe(
          "wrong_state",
        );
        expect((await allJobs(store)).find((one) => one.seq === seq)!.command).toBe("true");
      }
    });
  });
}
