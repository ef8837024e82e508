// A row of a job that cannot be read keeps nobody from another one's.

import { describe, expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { sampleAlert } from "../../support/sample-alerts.ts";
import {
  claim,
  claimTurn,
  endedAs,
  exitWith,
  jobIn,
  newJob,
  refusalOf,
  register,
  runningJob,
  settings,
  settle,
} from "../../support/sample-jobs.ts";
import { damageable, type MakeStore } from "../../support/temp-store.ts";

const stateOf = async (store: Store, seq: number) => (await store.jobs.states([seq])).get(seq);

export function damageContract(makeStore: MakeStore): void {
  describe.each(damageable)("a job whose %s cannot be read", (column) => {
    test("could not start, and the others of the turn run", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const ids = ["one", "bad", "two", "three"];
      const jobs = [];
      for (const id of ids) jobs.push(await store.jobs.enqueue(newJob({ id, max_retries: 1 })));
      const { seq } = jobs[1]!;
      await temp.damage(seq, column);
      await register(store, "worker-1", "worker-2", "worker-3");
      const turn = await claimTurn(store, { worker_ids: ["worker-1", "worker-2", "worker-3"] });
      expect(turn.claimed.map(({ job }) => job.id)).toEqual(["one", "two"]);
      expect(turn.next_due_at).toBe(clock.now);
      expect(turn.unreadable).toMatchObject([
        { worker_id: "worker-2", attempt: 1, job: { id: "bad", state: "failed" } },
      ]);
      expect(await store.jobs.attempts(seq)).toMatchObject([
        { result: "not_started", error: `job bad is damaged in the database: its ${column} cannot be read` },
      ]);
      expect(await stateOf(store, seq)).toBe("failed");
      clock.now += 2000;
      expect((await claim(store, { worker_ids: ["worker-2"] })).map(({ job }) => job.id)).toEqual([]);
      expect(await stateOf(store, seq)).toBe("dead");
      expect((await claim(store, { worker_ids: ["worker-2"] })).map(({ job }) => job.id)).toEqual(["three"]);
      expect((await store.stats.read()).failed_runs).toBe(2);
    });

    test("takes nothing from what the same turn settles", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const mine = await runningJob(store, { id: "mine" });
      const { seq } = await store.jobs.enqueue(newJob({ id: "bad" }));
      await temp.damage(seq, column);
      const stale = { ...mine.lease, lease_seq: mine.lease.lease_seq + 1 };
      const turn = await store.leases.exchange({
        started: [],
        ended: [stale, mine.lease].map((lease) => ({ lease, ending: exitWith(0) })),
        settings,
        wanted: { worker_ids: [mine.worker_id], queues: null },
      });
      expect(turn).toMatchObject({
        stale: [stale],
        settled: [{ id: "mine", state: "completed" }],
        unreadable: [{ job: { id: "bad", state: "failed" } }],
      });
    });

    test("is told of by alerts when it is dead", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.alerts.add(sampleAlert({ name: "deaths", events: ["dead"] }));
      const { seq } = await store.jobs.enqueue(newJob({ id: "bad", max_retries: 0 }));
      await temp.damage(seq, column);
      await register(store, "worker-a");
      expect(await claim(store)).toEqual([]);
      await store.alerts.gather();
      const [delivery] = await store.alerts.deliveries("deaths", 9);
      expect(JSON.parse(delivery!.message).data.jobs).toMatchObject([
        { id: "bad", state: "dead", last_error: expect.stringContaining("is damaged") },
      ]);
    });

    test("is settled all the same when it runs already", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const fresh = await temp.another();
      await store.alerts.add(sampleAlert({ name: "all", events: ["dead", "completed"] }));
      await store.alerts.add(sampleAlert({ name: "tagged", events: ["completed"], tag: "x" }));
      for (const settling of [store, fresh]) {
        const { job, lease } = await runningJob(store);
        await temp.damage(job.seq, column);
        expect((await store.alerts.runningSince(clock.now)).map((run) => run.job.id)).toEqual([job.id]);
        const { settled } = await settle(settling, lease, exitWith(0));
        expect(settled).toMatchObject([{ id: job.id, state: "completed" }]);
      }
    });

    test("is refused to whoever would enqueue it once more and run it", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const unique = newJob({ unique: { key: "key k", seconds: 0 } });
      const { seq } = await store.jobs.enqueue(unique);
      await temp.damage(seq, column);
      await register(store, "worker-a");
      expect((await refusalOf(store.leases.enqueueFor("worker-a", unique))).message).toContain("is damaged");
      expect(await stateOf(store, seq)).toBe("pending");
    });

    test("is told of beside those that can be read, and is there on a page", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (const id of ["one", "bad"]) await store.jobs.enqueue(newJob({ id, tags: ["t"] }));
      const { seq } = await store.jobs.named("ba");
      await temp.damage(seq, column);
      for (const filter of [{}, { state: "pending" }, { search: "true" }, { tag: "t" }] as const) {
        const { jobs, damaged, total } = await store.jobs.list(filter, { limit: 0 });
        expect({ jobs: jobs.map(({ id }) => id), total }).toEqual({ jobs: ["one"], total: 2 });
        expect(damaged.map(({ message }) => message)).toEqual([
          `job bad is damaged in the database: its ${column} cannot be read`,
        ]);
        const page = await store.matching.page(filter, { limit: 5, scan: 5 });
        expect(page.jobs.map(({ id }) => id)).toEqual(["bad", "one"]);
      }
    });

    test("is held, released, cancelled, retried and deleted like others", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { seq } = await store.jobs.enqueue(newJob({ id: "bad", tags: ["t"] }));
      await temp.damage(seq, column);
      const all = ["hold", "release", "cancel", "retry"] as const;
      for (const change of all) expect(await store.jobs[change]([seq])).toMatchObject([{ id: "bad" }]);
      for (const change of all)
        expect((await store.matching.change(change, {}, { limit: 5 })).changed).toBe(1);
      expect(await store.jobs.delete([seq])).toEqual([{ seq, attempts: 0 }]);
      expect((await store.stats.read()).total).toBe(0);
      expect((await store.jobs.list({ tag: "t" }, { limit: 0 })).total).toBe(0);
    });

    test("is removed with the others when its time is up, or all are deleted", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      for (const remove of [
        () => store.jobs.prune(clock.now + 1, 10),
        async () => (await store.matching.change("delete", {}, { limit: 10 })).removed,
      ]) {
        const { seq } = await jobIn(store, "completed", { tags: ["t"] });
        await temp.damage(seq, column);
        expect(await remove()).toEqual([{ seq, attempts: 1 }]);
        expect((await store.jobs.list({ tag: "t" }, { limit: 0 })).total).toBe(0);
      }
    });

    test("is taken over with the others of its worker", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const dead = await register(store, "worker-1", "worker-2");
      for (const id of ["one", "bad"]) await store.jobs.enqueue(newJob({ id }));
      const [, bad] = await claim(store, { worker_ids: ["worker-1", "worker-2"] });
      await temp.damage(bad!.job.seq, column);
      const taken = await store.leases.takeOver(dead, await register(store, "worker-alive"));
      expect(taken.map(({ job }) => job.id).toSorted()).toEqual(["bad", "one"]);
      const { lease } = taken.find(({ job }) => job.id === "bad")!;
      expect((await settle(store, lease, endedAs("lost"))).settled).toMatchObject([{ state: "pending" }]);
    });

    test("is taken from a worker that nobody has entered, or whose lease has ended", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { job, worker_id } = await runningJob(store);
      await store.workers.leave([worker_id]);
      await temp.damage(job.seq, column);
      const taken = await store.leases.takeForgotten(await register(store, "worker-1"));
      expect(taken.map(({ job }) => job.id)).toEqual([job.id]);
      if (store.leaseMs === null) return;
      clock.now += store.leaseMs;
      const expired = await store.leases.takeExpired(await register(store, "worker-2"));
      expect(expired.map(({ job }) => job.id)).toEqual([job.id]);
    });
  });
}
