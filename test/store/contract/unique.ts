import { describe, expect, test } from "bun:test";
import type { NewJob } from "../../../src/domain/job.ts";
import { asyncly, exitWith, newJob, refusalOf, runAgain, settle } from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

const once = (key: string, seconds = 0, more: Partial<NewJob> = {}) =>
  newJob({ unique: { key, seconds }, ...more });

export function uniqueContract(makeStore: MakeStore): void {
  describe("a job that is enqueued once", () => {
    test("is given back while it is not settled, in whichever state, and stored anew after that", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const first = await store.jobs.enqueueOnce(once("k"));
      expect(first.isNew).toBe(true);
      const again = async () => (await store.jobs.enqueueOnce(once("k"))).job.id;
      expect(await again()).toBe(first.job.id);
      const { lease } = await runAgain(store, first.job.seq);
      expect(await again()).toBe(first.job.id);
      await settle(store, lease, exitWith(1));
      expect(await store.jobs.enqueueOnce(once("k"))).toMatchObject({
        isNew: false,
        job: { id: first.job.id, state: "failed" },
      });
      clock.now += 60_000;
      await settle(store, (await runAgain(store, first.job.seq)).lease, exitWith(0));
      expect((await store.jobs.enqueueOnce(once("k"))).isNew).toBe(true);
      expect((await store.stats.read()).total).toBe(2);
    });

    test("counts for its time whatever became of it, and not when it is deleted", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq, id } = await store.jobs.enqueue(once("k"));
      await store.jobs.cancel([seq]);
      clock.now += 9_999;
      expect((await store.jobs.enqueueOnce(once("k", 10))).job.id).toBe(id);
      clock.now += 1;
      const second = await store.jobs.enqueueOnce(once("k", 10));
      expect(second.isNew).toBe(true);
      await store.jobs.delete([second.job.seq]);
      expect((await store.jobs.enqueueOnce(once("k"))).isNew).toBe(true);
    });

    test("has nothing to do with other keys, and with jobs that have none", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob());
      for (const job of [once("a"), once("b"), newJob()])
        expect((await store.jobs.enqueueOnce(job)).isNew).toBe(true);
    });

    test("counts for parts of a second too, alone and in a list", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq, id } = await store.jobs.enqueue(once("k"));
      await store.jobs.cancel([seq]);
      clock.now += 1;
      expect((await store.jobs.enqueueOnce(once("k", 0.0021))).job.id).toBe(id);
      const { ids } = await store.jobs.enqueueAll(asyncly([once("k", 0.0021)]));
      expect(await Array.fromAsync(ids())).toEqual([id]);
    });

    test("is found when it was retried, though a newer one is settled, unless that one counts too", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const old = await store.jobs.enqueue(once("k"));
      await store.jobs.cancel([old.seq]);
      const newer = await store.jobs.enqueue(once("k"));
      await store.jobs.cancel([newer.seq]);
      await store.jobs.retry([old.seq]);
      expect((await store.jobs.enqueueOnce(once("k"))).job.id).toBe(old.id);
      expect((await store.jobs.enqueueOnce(once("k", 60))).job.id).toBe(newer.id);
    });

    test("is the newest of those that wait, where an older one was retried", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const old = await store.jobs.enqueue(once("k"));
      await store.jobs.cancel([old.seq]);
      const newer = await store.jobs.enqueue(once("k"));
      await store.jobs.retry([old.seq]);
      expect((await store.jobs.enqueueOnce(once("k"))).job.id).toBe(newer.id);
    });

    test("in a list stands for those behind it, and for it stands one that is there", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(once("there", 0, { id: "there" }));
      const list = [
        once("a", 0, { id: "first", tags: ["t"] }),
        newJob({ id: "plain" }),
        once("there", 0, { tags: ["t"] }),
        once("a"),
        newJob({ id: "last", after: [{ id: "first", if_fails: "cancel" }] }),
        once("a"),
      ];
      const enqueued = await store.jobs.enqueueAll(asyncly(list));
      expect([enqueued.count, enqueued.known]).toEqual([6, 3]);
      const ids = await Array.fromAsync(enqueued.ids());
      expect(ids).toEqual(["first", "plain", "there", "first", "last", "first"]);
      expect((await store.stats.read()).total).toBe(4);
      expect((await store.jobs.list({ tag: "t" }, { limit: 0 })).total).toBe(1);
      const again = await store.jobs.enqueueAll(asyncly([once("a"), once("there")]));
      expect(await Array.fromAsync(again.ids())).toEqual(["first", "there"]);
      expect((await store.jobs.enqueueAll(asyncly([once("c", 0, { id: "c" })]))).known).toBe(0);
    });

    test("in a list is stored where one that is there stands for the one before it only", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq } = await store.jobs.enqueue(once("k", 0, { id: "old" }));
      await store.jobs.cancel([seq]);
      clock.now += 5_000;
      const list = [once("k", 10), once("k", 0, { id: "new" }), once("k", 10), once("k")];
      const enqueued = await store.jobs.enqueueAll(asyncly(list));
      expect(await Array.fromAsync(enqueued.ids())).toEqual(["old", "new", "new", "new"]);
      expect(enqueued.known).toBe(3);
    });

    test("is stored anew though one was enqueued at a later time, before the clock was set back", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      clock.now += 86_400_000;
      const { seq } = await store.jobs.enqueue(once("k"));
      await store.jobs.cancel([seq]);
      clock.now -= 86_400_000;
      expect((await store.jobs.enqueueOnce(once("k"))).isNew).toBe(true);
      const { id } = await store.jobs.enqueue(once("other", 0));
      await store.jobs.cancel([(await store.jobs.find(id)).seq]);
      clock.now -= 1000;
      expect((await store.jobs.enqueueAll(asyncly([once("other", 10)]))).known).toBe(1);
      expect((await store.jobs.enqueueAll(asyncly([once("other", 1)]))).known).toBe(0);
    });

    test("is stored once, however many enqueue it at the same moment, alone and in lists", async () => {
      await using temp = await makeStore();
      const stores = [temp.store, await temp.another(), await temp.another()];
      const ids = await Promise.all(
        Array.from({ length: 24 }, async (_, n) => {
          const { jobs } = stores[n % 3]!;
          if (n % 4 > 0) return [(await jobs.enqueueOnce(once("k"))).job.id];
          return Array.fromAsync((await jobs.enqueueAll(asyncly([once("k"), once("k")]))).ids());
        }),
      );
      expect(new Set(ids.flat()).size).toBe(1);
      expect((await temp.store.stats.read()).total).toBe(1);
    });
  });

  describe("a job that is the only one whose id begins so", () => {
    test("is refused while there is another, and stored when that is gone", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob({ id: "key" }));
      const { job } = await store.jobs.enqueueOnce(newJob({ id: "key.a" }), "key.");
      for (const id of ["key.a", "key.b"]) {
        const refusal = await refusalOf(store.jobs.enqueueOnce(once("u", 0, { id }), "key."));
        expect([refusal.kind, refusal.message]).toEqual(["conflict", "there already is a job key.a"]);
      }
      await store.jobs.delete([job.seq]);
      expect((await store.jobs.enqueueOnce(newJob({ id: "key.b" }), "key.")).isNew).toBe(true);
    });

    test("is one, however many are asked for at the same moment", async () => {
      await using temp = await makeStore();
      const stores = [temp.store, await temp.another(), await temp.another()];
      const asked = await Promise.allSettled(
        Array.from({ length: 12 }, (_, n) =>
          stores[n % 3]!.jobs.enqueueOnce(newJob({ id: `key.${n}` }), "key."),
        ),
      );
      expect(asked.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect((await temp.store.stats.read()).total).toBe(1);
    });
  });
}
