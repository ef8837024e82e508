import { describe, expect, test } from "bun:test";
import type { Store } from "../../../src/store/store.ts";
import { claim, exitWith, identity, newJob, register, settle } from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function workersContract(makeStore: MakeStore): void {
  describe("workers", () => {
    test("a process and its workers are listed as they were entered, the oldest first", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      expect(await store.workers.list()).toEqual([]);
      expect(await store.workers.processes()).toEqual([]);
      const startedAt = clock.now;
      const first = await store.workers.register({
        identity,
        home: "/home/a",
        version: "1.2.3",
        queues: ["mail", "images"],
        worker_ids: ["worker-z"],
        journal: "/first",
      });
      clock.now += 1000;
      const elsewhere = { host: "there", boot_id: "", pid_namespace: "", pid: 1, pid_start: "" };
      const second = await store.workers.register({
        identity: elsewhere,
        home: "/home/b",
        version: "2",
        queues: null,
        worker_ids: ["worker-a", "worker-b"],
        journal: "/second",
        leaseMs: 60_000,
      });
      const common = { state: "idle", job_id: null } as const;
      const z = { id: "worker-z", pid: 4711, host: "here", queues: ["mail", "images"], version: "1.2.3" };
      const there = { pid: 1, host: "there", queues: null, version: "2", ...common };
      const later = { started_at: clock.now, heartbeat_at: clock.now };
      expect(await store.workers.list()).toEqual([
        { ...z, ...common, started_at: startedAt, heartbeat_at: startedAt },
        { id: "worker-a", ...there, ...later },
        { id: "worker-b", ...there, ...later },
      ]);
      expect(await store.workers.processes()).toEqual([
        {
          process_id: first,
          identity,
          home: "/home/a",
          worker_ids: ["worker-z"],
          heartbeat_at: startedAt,
          lease_until: store.leaseMs && startedAt + store.leaseMs,
        },
        {
          process_id: second,
          identity: elsewhere,
          home: "/home/b",
          worker_ids: ["worker-a", "worker-b"],
          heartbeat_at: clock.now,
          lease_until: store.leaseMs && clock.now + 60_000,
        },
      ]);
    });

    test("the same process may be entered again after a restart of its machine, as another one", async () => {
      await using temp = await makeStore();
      const first = await register(temp.store, "worker-a");
      expect(await register(temp.store, "worker-b")).not.toBe(first);
      await temp.store.workers.forget(first);
      expect(await register(temp.store, "worker-c")).not.toBe(first);
    });

    test("a heartbeat says that the process is still there", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const startedAt = clock.now;
      const process_id = await register(store, "worker-a");
      await register(store, "worker-b");
      clock.now += 10_000;
      expect(await store.workers.heartbeat(process_id)).toBeTrue();
      const times = (await store.workers.list()).map(({ started_at, heartbeat_at }) => [
        started_at,
        heartbeat_at,
      ]);
      expect(times).toEqual([
        [startedAt, clock.now],
        [startedAt, startedAt],
      ]);
    });

    test("a worker with a job is busy, and idle again when it is settled", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await register(store, "worker-a", "worker-b");
      await store.jobs.enqueue(newJob({ id: "build" }));
      const [claimed] = await claim(store);
      expect(await states(store)).toEqual(["worker-a busy build", "worker-b idle"]);
      await settle(store, claimed!.lease, exitWith(1));
      expect(await states(store)).toEqual(["worker-a idle", "worker-b idle"]);
    });

    test("a worker that leaves is gone, and the last one takes its process with it", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const first = await register(store, "worker-a", "worker-b");
      const second = await register(store, "worker-c");
      await store.workers.leave(["worker-a"]);
      expect((await store.workers.processes()).map((entry) => [entry.process_id, entry.worker_ids])).toEqual([
        [first, ["worker-b"]],
        [second, ["worker-c"]],
      ]);
      await store.workers.leave(["worker-b", "worker-gone"]);
      expect((await store.workers.processes()).map(({ process_id }) => process_id)).toEqual([second]);
      expect(await states(store)).toEqual(["worker-c idle"]);
      expect(await store.workers.heartbeat(first)).toBeFalse();
    });

    test("a forgotten process is gone with all its workers, and no other", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const first = await register(store, "worker-a", "worker-b");
      await register(store, "worker-c");
      await store.workers.forget(first);
      await store.workers.forget(first);
      expect(await states(store)).toEqual(["worker-c idle"]);
      expect((await store.workers.processes()).map(({ worker_ids }) => worker_ids)).toEqual([["worker-c"]]);
    });

    for (const goes of ["leaves", "is forgotten"]) {
      test(`the job of a worker that ${goes} stays its own until it is settled`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const process_id = await register(store, "worker-a");
        await store.jobs.enqueue(newJob({ id: "build" }));
        const [claimed] = await claim(store);
        if (goes === "leaves") await store.workers.leave(["worker-a"]);
        else await store.workers.forget(process_id);
        expect(await store.jobs.find("build")).toMatchObject({ state: "processing", worker_id: "worker-a" });
        await register(store, "worker-b");
        expect(await claim(store, { worker_ids: ["worker-b"] })).toEqual([]);
        expect((await settle(store, claimed!.lease, exitWith(0))).settled[0]?.state).toBe("completed");
      });
    }

    test("a process that has no workers yet stays when workers of another leave", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const dead = await register(store, "worker-a");
      await store.jobs.enqueue(newJob());
      await claim(store);
      const rescuer = await register(store);
      await register(store, "worker-b");
      await store.workers.leave(["worker-b"]);
      await store.leases.takeOver(dead, rescuer);
      expect((await store.workers.processes()).map(({ process_id }) => process_id)).toEqual([rescuer]);
      expect(await states(store)).toEqual([expect.stringContaining("worker-a busy")]);
    });

    test("the journals that are written to are those of the workers that are there, each once", async () => {
      await using temp = await makeStore();
      const { workers } = temp.store;
      expect(await workers.journals()).toEqual([]);
      const entry = { identity, home: "/home", version: "1", queues: null };
      await workers.register({ ...entry, worker_ids: ["worker-a", "worker-b"], journal: "/one" });
      await workers.register({ ...entry, worker_ids: ["worker-c"], journal: "/two" });
      expect((await workers.journals()).toSorted()).toEqual(["/one", "/two"]);
      await workers.leave(["worker-a", "worker-c"]);
      expect(await workers.journals()).toEqual(["/one"]);
    });
  });

  describe("orders", () => {
    test("nobody is asked anything at first", async () => {
      await using temp = await makeStore();
      const process_id = await register(temp.store, "worker-a");
      expect(await temp.store.leases.orders(process_id)).toEqual({ stop: new Map(), cancel: [] });
    });

    test("a worker asked to stop is stopping, and its own process hears of it", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const first = await register(store, "worker-a", "worker-b");
      const second = await register(store, "worker-c");
      await store.jobs.enqueue(newJob({ id: "build" }));
      await claim(store);
      await store.workers.stop(["worker-a", "worker-c", "worker-gone"], "finish");
      expect(await states(store)).toEqual(["worker-a stopping build", "worker-b idle", "worker-c stopping"]);
      expect((await store.leases.orders(first)).stop).toEqual(new Map([["worker-a", "finish"]]));
      expect((await store.leases.orders(second)).stop).toEqual(new Map([["worker-c", "finish"]]));
    });

    for (const order of ["release", "leave"] as const) {
      test(`an order to ${order} is not taken back by a later one to finish`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        const process_id = await register(store, "worker-a", "worker-b");
        await store.workers.stop(["worker-a"], order);
        await store.workers.stop(["worker-b"], "finish");
        await store.workers.stop(["worker-b"], order);
        await store.workers.stop(["worker-a", "worker-b"], "finish");
        expect((await store.leases.orders(process_id)).stop).toEqual(
          new Map([
            ["worker-a", order],
            ["worker-b", order],
          ]),
        );
      });
    }

    test("a process hears of the end asked for its own jobs only", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const first = await register(store, "worker-a");
      const second = await register(store, "worker-b");
      const ids = [await store.jobs.enqueue(newJob()), await store.jobs.enqueue(newJob())];
      const [one, two] = await claim(store, { worker_ids: ["worker-a", "worker-b"] });
      await store.jobs.cancel([ids[1]!.seq]);
      expect((await store.leases.orders(first)).cancel).toEqual([]);
      expect((await store.leases.orders(second)).cancel).toEqual([two!.lease]);
      await settle(store, two!.lease, exitWith(1));
      await settle(store, one!.lease, exitWith(0));
      expect((await store.leases.orders(second)).cancel).toEqual([]);
    });
  });
}

const states = async (store: Store) =>
  (await store.workers.list()).map(({ id, state, job_id }) => [id, state, job_id].filter(Boolean).join(" "));
