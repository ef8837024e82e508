import { describe, expect, test } from "bun:test";
import type { NewJob } from "../../../src/domain/job.ts";
import {
  asyncly,
  claim,
  claimTurn,
  endedAs,
  exitWith,
  newJob,
  register,
  settings,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";

const workers = Array.from({ length: 10 }, (_, n) => `worker-${n}`);

export function queuesContract(makeStore: MakeStore): void {
  describe("what was said of queues", () => {
    test("is kept, by name, until nothing is said any more", async () => {
      await using temp = await makeStore();
      const { queues } = temp.store;
      expect(await queues.rules()).toEqual([]);
      await queues.pause(["b", "a", "b"]);
      const paused_at = temp.clock.now;
      expect(await queues.limit("b", { concurrency: 2 })).toEqual({
        queue: "b",
        paused_at,
        concurrency: 2,
        rate: null,
      });
      temp.clock.now += 1000;
      await queues.pause(["a"]);
      expect(await queues.limit("b", { rate: { starts: 100, per: 60 } })).toMatchObject({ concurrency: 2 });
      expect(await queues.rules()).toEqual([
        { queue: "a", paused_at, concurrency: null, rate: null },
        { queue: "b", paused_at, concurrency: 2, rate: { starts: 100, per: 60 } },
      ]);
      await queues.resume(["a", "b", "never heard of"]);
      expect((await queues.rules()).map(({ queue }) => queue)).toEqual(["b"]);
      const unlimited = await queues.limit("b", { concurrency: null });
      expect(unlimited).toMatchObject({ concurrency: null, paused_at: null });
      expect(await queues.rules()).toMatchObject([{ queue: "b", rate: { starts: 100, per: 60 } }]);
      await queues.limit("b", { rate: null });
      expect(await queues.rules()).toEqual([]);
    });
  });

  describe("a paused queue", () => {
    test("lets no job start until it is resumed, and others go on", async () => {
      const jobs = [
        { id: "a", queue: "a", priority: 5 },
        { id: "b", queue: "b" },
      ];
      await using temp = await prepared(makeStore, jobs);
      await temp.store.queues.pause(["a"]);
      expect(await claimedIds(temp)).toEqual(["b"]);
      expect(await claimTurn(temp.store, { worker_ids: workers.slice(1) })).toMatchObject({
        claimed: [],
        next_due_at: null,
      });
      await temp.store.queues.resume(["a"]);
      expect(await claimedIds(temp, ["worker-1"])).toEqual(["a"]);
    });

    test("wakes nobody for a job whose moment comes", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      await store.jobs.enqueue(newJob({ id: "a", queue: "a", run_at: clock.now + 1000 }));
      await store.jobs.enqueue(newJob({ id: "b", queue: "b", run_at: clock.now + 5000 }));
      await store.queues.pause(["a"]);
      expect((await claimTurn(store, { worker_ids: ["worker-0"] })).next_due_at).toBe(clock.now + 5000);
      expect((await claimTurn(store, { worker_ids: ["worker-0"], queues: ["a"] })).next_due_at).toBeNull();
      clock.now += 2000;
      expect(await claimedIds(temp)).toEqual([]);
      await store.queues.resume(["a"]);
      expect(await claimedIds(temp)).toEqual(["a"]);
    });

    test("lets whoever wants one job alone have it", async () => {
      await using temp = await prepared(makeStore, [{ id: "a", queue: "a" }]);
      await temp.store.queues.pause(["a"]);
      const { seq } = await temp.store.jobs.find("a");
      expect(await claim(temp.store, { worker_ids: ["worker-0"], only: seq })).toHaveLength(1);
    });

    test("lets what runs go on to its end", async () => {
      await using temp = await prepared(makeStore, [{ id: "a", queue: "a" }]);
      const [claimed] = await claim(temp.store, { worker_ids: ["worker-0"] });
      await temp.store.queues.pause(["a"]);
      const { settled } = await settle(temp.store, claimed!.lease, exitWith(0));
      expect(settled).toMatchObject([{ id: "a", state: "completed" }]);
    });

    test("has jobs that are outstanding, of which only the running ones are expected to end", async () => {
      await using temp = await prepared(makeStore, [
        { id: "a", queue: "a" },
        { id: "b", queue: "a" },
        { id: "c", queue: "c", run_at: Date.UTC(2030, 0) },
      ]);
      const { stats, queues } = temp.store;
      await claim(temp.store, { worker_ids: ["worker-0"] });
      await queues.pause(["a"]);
      expect([await stats.outstanding(null), await stats.outstanding(["a"])]).toEqual([3, 2]);
      expect([await stats.expected(null), await stats.expected(["a"])]).toEqual([2, 1]);
      await queues.resume(["a"]);
      expect(await stats.expected(null)).toBe(3);
    });
  });

  describe("a queue with a limit of jobs at once", () => {
    const jobs = ["a", "b", "c", "d"].map((id) => ({ id, queue: "narrow" }));

    test("lets as many run, and the next one start when one has ended", async () => {
      await using temp = await prepared(makeStore, [...jobs, { id: "e", queue: "wide" }]);
      const { store } = temp;
      await store.queues.limit("narrow", { concurrency: 2 });
      const claimed = await claim(store, { worker_ids: workers });
      expect(claimed.map(({ job }) => job.id)).toEqual(["a", "b", "e"]);
      expect(await claimTurn(store, { worker_ids: workers.slice(3) })).toMatchObject({
        claimed: [],
        next_due_at: null,
      });
      await settle(store, claimed[0]!.lease, exitWith(1));
      expect(await claimedIds(temp, workers.slice(3))).toEqual(["c"]);
      expect(await claimedIds(temp, workers.slice(4))).toEqual([]);
    });

    test("gives the next one to the same turn that settles one", async () => {
      await using temp = await prepared(makeStore, jobs);
      const { store } = temp;
      await store.queues.limit("narrow", { concurrency: 1 });
      const [claimed] = await claim(store, { worker_ids: ["worker-0"] });
      const turn = await store.leases.exchange({
        started: [],
        ended: [{ lease: claimed!.lease, ending: exitWith(0) }],
        settings,
        wanted: { worker_ids: workers, queues: null },
      });
      expect(turn.claimed.map(({ job }) => job.id)).toEqual(["b"]);
    });

    test("has room again when a job was given back, lost or cancelled", async () => {
      await using temp = await prepared(makeStore, jobs);
      const { store } = temp;
      await store.queues.limit("narrow", { concurrency: 1 });
      for (const ending of [endedAs("released"), endedAs("lost"), endedAs("cancelled")]) {
        const claimed = await claim(store, { worker_ids: workers });
        expect(claimed).toHaveLength(1);
        expect(await claimedIds(temp, workers.slice(1))).toEqual([]);
        await settle(store, claimed[0]!.lease, ending);
      }
    });

    test("keeps it also from whoever wants one job alone", async () => {
      await using temp = await prepared(makeStore, jobs);
      const { store } = temp;
      await store.queues.limit("narrow", { concurrency: 1 });
      await claim(store, { worker_ids: ["worker-0"] });
      const { seq } = await store.jobs.find("b");
      const turn = await claimTurn(store, { worker_ids: ["worker-1"], only: seq });
      expect(turn).toMatchObject({ claimed: [], next_due_at: null });
    });

    test("lets all that run go on when fewer may, and starts none before they are fewer", async () => {
      await using temp = await prepared(makeStore, jobs);
      const { store } = temp;
      const claimed = await claim(store, { worker_ids: workers.slice(0, 3) });
      await store.queues.limit("narrow", { concurrency: 2 });
      for (const [n, { lease }] of claimed.entries()) {
        expect(await claimedIds(temp, workers.slice(3))).toEqual(n < 2 ? [] : ["d"]);
        await settle(store, lease, exitWith(0));
      }
    });

    test("is not passed by claims at the same moment", async () => {
      await using temp = await prepared(makeStore, []);
      const { store } = temp;
      await store.jobs.enqueueAll(asyncly(Array.from({ length: 30 }, () => newJob({ queue: "narrow" }))));
      await store.queues.limit("narrow", { concurrency: 3 });
      const stores = [store, await temp.another(), await temp.another()];
      const claims = await Promise.all(
        workers.map((worker_id, n) => claim(stores[n % 3]!, { worker_ids: [worker_id] })),
      );
      expect(claims.flat()).toHaveLength(3);
    });
  });

  describe("queues that take turns", () => {
    const jobs = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"].map((id) => ({ id, queue: id[0]! }));

    test("have as many running as each other, at equal priority", async () => {
      await using temp = await prepared(makeStore, [...jobs, { id: "d1", queue: "d", priority: 2 }]);
      const claimed = async (worker_ids: readonly string[]) =>
        (await claim(temp.store, { worker_ids, isFair: true })).map(({ job }) => job.id);
      expect(await claimed(workers.slice(0, 3))).toEqual(["d1", "a1", "b1"]);
      expect(await claimed(workers.slice(3, 4))).toEqual(["c1"]);
      expect(await claimed(workers.slice(4))).toEqual(["a2", "b2", "a3", "a4"]);
    });

    test("do so only where that is asked for", async () => {
      await using temp = await prepared(makeStore, jobs);
      expect(await claimedIds(temp, workers.slice(0, 3))).toEqual(["a1", "a2", "a3"]);
    });
  });

  describe("a queue with a rate", () => {
    test("lets no more start in any time of that length, however they are asked for", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      await store.jobs.enqueueAll(asyncly(Array.from({ length: 60 }, () => newJob({ queue: "slow" }))));
      await store.queues.limit("slow", { rate: { starts: 5, per: 10 } });
      const stores = [store, await temp.another()];
      const startedAt: number[] = [];
      const asks = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];
      for (let n = 0; startedAt.length < 40; n++) {
        const turn = await claimTurn(stores[n % 2]!, {
          worker_ids: workers.slice(0, asks[n % asks.length]!),
        });
        startedAt.push(...turn.claimed.map(() => clock.now));
        await store.leases.exchange({
          started: [],
          ended: turn.claimed.map(({ lease }) => ({ lease, ending: exitWith(0) })),
          settings,
          wanted: null,
        });
        if (n % 3 === 0) clock.now += 1234;
        else if (turn.next_due_at !== null) clock.now = turn.next_due_at;
      }
      for (const moment of startedAt) {
        const within = startedAt.filter((other) => other > moment - 10_000 && other <= moment);
        expect(within.length).toBeLessThanOrEqual(5);
      }
      const took = startedAt.at(-1)! - startedAt[0]!;
      expect(took).toBeLessThan(8 * 10_100 + 1300 * 8);
    });

    test("says when the next one may start, and keeps no others", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      for (const id of ["a", "b"]) await store.jobs.enqueue(newJob({ id, queue: "slow" }));
      await store.jobs.enqueue(newJob({ id: "c" }));
      await store.queues.limit("slow", { rate: { starts: 1, per: 1 } });
      const started = clock.now;
      const turn = await claimTurn(store, { worker_ids: workers });
      expect(turn.claimed.map(({ job }) => job.id)).toEqual(["a", "c"]);
      expect(turn.next_due_at).toBe(started + 1001);
      const { seq } = await store.jobs.find("b");
      const alone = await claimTurn(store, { worker_ids: ["worker-9"], only: seq });
      expect(alone).toMatchObject({ claimed: [], next_due_at: started + 1001 });
      clock.now = started + 1000;
      expect(await claimedIds(temp, ["worker-9"])).toEqual([]);
      clock.now = started + 1001;
      expect(await claimedIds(temp, ["worker-9"])).toEqual(["b"]);
    });

    test("counts what has started under the rate before it, at once", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      for (const id of ["a", "b"]) await store.jobs.enqueue(newJob({ id, queue: "slow" }));
      await store.queues.limit("slow", { rate: { starts: 100, per: 3600 } });
      expect(await claimedIds(temp, ["worker-0"])).toEqual(["a"]);
      await store.queues.limit("slow", { rate: { starts: 1, per: 60 } });
      expect(await claimedIds(temp, ["worker-1"])).toEqual([]);
      clock.now += 60_000 + 3_600;
      expect(await claimedIds(temp, ["worker-1"])).toEqual(["b"]);
    });

    test("that was lowered opens when of the newest starts no more count than it has room for", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      for (let n = 0; n < 5; n++) await store.jobs.enqueue(newJob({ queue: "slow" }));
      await store.queues.limit("slow", { rate: { starts: 4, per: 1 } });
      const startedAt: number[] = [];
      for (let n = 0; n < 4; n++) {
        startedAt.push(clock.now);
        await claim(store, { worker_ids: [`worker-${n}`] });
        clock.now += 100;
      }
      await store.queues.limit("slow", { rate: { starts: 2, per: 1 } });
      const turn = await claimTurn(store, { worker_ids: ["worker-4"] });
      expect(turn).toMatchObject({ claimed: [], next_due_at: startedAt[2]! + 1001 });
    });

    test("does not hold jobs for longer than its time when the clock was set back", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      for (const id of ["a", "b"]) await store.jobs.enqueue(newJob({ id, queue: "slow" }));
      await store.queues.limit("slow", { rate: { starts: 1, per: 60 } });
      clock.now += 3_600_000;
      expect(await claimedIds(temp, ["worker-0"])).toEqual(["a"]);
      clock.now -= 3_600_000;
      expect(await claimedIds(temp, ["worker-1"])).toEqual(["b"]);
    });
  });
}

async function prepared(makeStore: MakeStore, jobs: readonly Partial<NewJob>[]): Promise<TempStore> {
  const temp = await makeStore();
  await register(temp.store, ...workers);
  for (const job of jobs) await temp.store.jobs.enqueue(newJob(job));
  return temp;
}

const claimedIds = async ({ store }: TempStore, worker_ids: readonly string[] = workers) =>
  (await claim(store, { worker_ids })).map(({ job }) => job.id);
