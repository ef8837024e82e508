import { describe, expect, test } from "bun:test";
import type { NewJob } from "../../../src/domain/job.ts";
import type { Wanted } from "../../../src/store/leases.ts";
import {
  allJobs,
  claim,
  claimTurn,
  endedAs,
  exitWith,
  identity,
  jobIn,
  newJob,
  refusalOf,
  register,
  runAgain,
  runningJob,
  settings,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";

const manyWorkers = Array.from({ length: 10 }, (_, n) => `worker-${n}`);

export function claimContract(makeStore: MakeStore): void {
  describe("claim", () => {
    test("a claimed job is processing in the hands of its worker, with a lease and a new attempt", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await register(store, "worker-a");
      const enqueued = await store.jobs.enqueue(newJob());
      clock.now += 250;
      const turn = await claimTurn(store);
      const job = {
        ...enqueued,
        state: "processing",
        next_run_at: null,
        started_at: clock.now,
        updated_at: clock.now,
        worker_id: "worker-a",
      } as const;
      const lease = { job_seq: job.seq, lease_seq: expect.any(Number) };
      expect(turn).toEqual({
        stale: [],
        settled: [],
        claimed: [{ job, lease, attempt: 1, worker_id: "worker-a" }],
        next_due_at: null,
      });
      expect(await store.jobs.find(job.id)).toEqual(job);
    });

    const orders: { title: string; jobs: Partial<NewJob>[]; order: string[] }[] = [
      {
        title: "equal priority runs in enqueue order",
        jobs: [{ id: "b" }, { id: "a" }, { id: "c" }],
        order: ["b", "a", "c"],
      },
      {
        title: "higher priority runs first, whenever and wherever it was enqueued",
        jobs: [
          { id: "1", priority: 1 },
          { id: "5", priority: 5, queue: "q" },
          { id: "3", priority: 3 },
          { id: "5b", priority: 5 },
          { id: "2", priority: 2, queue: "q" },
        ],
        order: ["5", "5b", "3", "2", "1"],
      },
      {
        title: "queues take turns by enqueue order alone",
        jobs: [
          { id: "z1", queue: "z" },
          { id: "a1", queue: "a" },
          { id: "z2", queue: "z" },
          { id: "a2", queue: "a" },
        ],
        order: ["z1", "a1", "z2", "a2"],
      },
    ];
    for (const { title, jobs, order } of orders) {
      test(`${title}: one at a time`, async () => {
        await using temp = await prepared(makeStore, jobs);
        const ids: string[] = [];
        for (const worker_id of manyWorkers) {
          ids.push(...(await claim(temp.store, { worker_ids: [worker_id] })).map(({ job }) => job.id));
        }
        expect(ids).toEqual(order);
      });

      test(`${title}: all at once`, async () => {
        await using temp = await prepared(makeStore, jobs);
        const claimed = await claim(temp.store, { worker_ids: manyWorkers });
        expect(claimed.map(({ job }) => job.id)).toEqual(order);
        expect(claimed.map(({ worker_id }) => worker_id)).toEqual(manyWorkers.slice(0, order.length));
      });
    }

    test("each worker gets at most one job, and the rest stays for the next claim", async () => {
      await using temp = await prepared(makeStore, [{ id: "a" }, { id: "b" }, { id: "c" }]);
      expect(await claimedIds(temp, { worker_ids: ["worker-0", "worker-1"] })).toEqual(["a", "b"]);
      expect(await claimedIds(temp, { worker_ids: ["worker-2", "worker-3"] })).toEqual(["c"]);
      expect(await claimedIds(temp, { worker_ids: ["worker-3"] })).toEqual([]);
    });

    test("a claim by another connection never gets the same job", async () => {
      await using temp = await prepared(makeStore, [{ id: "a" }, { id: "b" }]);
      const other = await temp.another();
      expect(await claimedIds(temp, { worker_ids: ["worker-0"] })).toEqual(["a"]);
      expect((await claim(other, { worker_ids: manyWorkers.slice(1) })).map(({ job }) => job.id)).toEqual([
        "b",
      ]);
    });

    test("claims at the same moment share the jobs without overlap", async () => {
      const ids = Array.from({ length: 20 }, (_, n) => `job-${n}`);
      await using temp = await prepared(
        makeStore,
        ids.map((id) => ({ id })),
      );
      const stores = [temp.store, await temp.another(), await temp.another()];
      const claims = manyWorkers.flatMap((worker_id, n) => [
        claim(stores[n % 3]!, { worker_ids: [worker_id] }),
        claim(stores[(n + 1) % 3]!, { worker_ids: [worker_id] }),
      ]);
      const claimed = (await Promise.all(claims)).flat().map(({ job }) => job.id);
      expect(claimed.toSorted()).toEqual(ids.toSorted());
    });

    test("only the queues asked for are served", async () => {
      await using temp = await prepared(makeStore, [
        { id: "a", queue: "x", priority: 5 },
        { id: "b", queue: "y" },
        { id: "c", queue: "z" },
      ]);
      expect(await claimedIds(temp, { queues: ["nowhere"] })).toEqual([]);
      expect(await claimedIds(temp, { queues: ["z", "y"] })).toEqual(["b", "c"]);
      expect(await claimedIds(temp, { queues: null })).toEqual(["a"]);
    });

    for (const state of ["processing", "completed", "dead", "cancelled"] as const) {
      test(`a ${state} job is not claimed`, async () => {
        await using temp = await prepared(makeStore, []);
        const { seq } = await jobIn(temp.store, state);
        temp.clock.now += 86_400_000;
        expect(await claimedIds(temp, {})).toEqual([]);
        expect(await claimedIds(temp, { only: seq })).toEqual([]);
      });
    }

    test("the number of the lease grows with every claim of the job", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      let { job, lease, attempt } = await runningJob(store);
      for (let n = 0; n < 4; n++) {
        await settle(store, lease, endedAs(n % 2 ? "released" : "lost"));
        const next = await runAgain(store, job.seq);
        expect(next.lease.lease_seq).toBeGreaterThan(lease.lease_seq);
        expect(next.attempt).toBe(attempt + 1);
        ({ job, lease, attempt } = next);
      }
    });
  });

  describe("claim of only one job", () => {
    test("it is taken before all others, from whatever queue, by one worker", async () => {
      await using temp = await prepared(makeStore, [
        { id: "first", priority: 5 },
        { id: "mine", queue: "q" },
      ]);
      const { seq } = await temp.store.jobs.find("mine");
      const claimed = await claim(temp.store, { worker_ids: manyWorkers, only: seq });
      expect(claimed.map(({ job, worker_id }) => [job.id, worker_id])).toEqual([["mine", "worker-0"]]);
      expect(await claimedIds(temp, { only: seq })).toEqual([]);
    });

    test("it waits for its moment, and is told", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      await store.jobs.enqueue(newJob());
      const dueAt = clock.now + 5000;
      const { seq } = await store.jobs.enqueue(newJob({ run_at: dueAt }));
      expect(await claimTurn(store, { only: seq })).toMatchObject({ claimed: [], next_due_at: dueAt });
      clock.now = dueAt;
      expect((await claim(store, { worker_ids: ["worker-0"], only: seq })).length).toBe(1);
      expect(await claimTurn(store, { only: seq })).toMatchObject({ claimed: [], next_due_at: null });
    });

    test("a job that is gone is not claimed", async () => {
      await using temp = await prepared(makeStore, [{}]);
      expect(await claimTurn(temp.store, { only: 1_000_000 })).toMatchObject({
        claimed: [],
        next_due_at: null,
      });
    });
  });

  describe("a job enqueued for a worker", () => {
    test("is stored and claimed in one step, before all that wait", async () => {
      await using temp = await prepared(makeStore, [{ id: "first", priority: 5 }]);
      const { store } = temp;
      const { job, claimed } = await store.leases.enqueueFor("worker-0", newJob({ id: "mine", tags: ["x"] }));
      expect(job).toMatchObject({ id: "mine", state: "pending", tags: ["x"] });
      expect(claimed).toMatchObject({
        attempt: 1,
        worker_id: "worker-0",
        job: { id: "mine", state: "processing" },
      });
      expect(await store.jobs.find("mine")).toEqual(claimed!.job);
      expect(await store.jobs.attempts(job.seq)).toMatchObject([
        { number: 1, worker_id: "worker-0", host: identity.host },
      ]);
      const { settled } = await settle(store, claimed!.lease, exitWith(0));
      expect(settled).toMatchObject([{ id: "mine", state: "completed" }]);
      expect(await store.stats.read()).toMatchObject({ completed: 1, pending: 1, total: 2 });
    });

    test("never goes to another worker that asks at the same moment", async () => {
      await using temp = await prepared(makeStore, []);
      const { store } = temp;
      for (let round = 0; round < 10; round++) {
        const [others, { claimed }] = await Promise.all([
          claim(store, { worker_ids: ["worker-1"] }),
          store.leases.enqueueFor("worker-0", newJob()),
          claim(store, { worker_ids: ["worker-2"] }),
        ]);
        expect(others).toEqual([]);
        await settle(store, claimed!.lease, exitWith(0));
      }
    });

    const waiting: { title: string; job: Partial<NewJob> }[] = [
      { title: "its moment", job: { run_at: 9_000_000_000_000 } },
      { title: "a job that it comes after", job: { after: [{ id: "runs", if_fails: "cancel" }] } },
      { title: "a job with its key", job: { key: "k" } },
      { title: "room in its queue", job: { queue: "full" } },
      { title: "its release", job: { held: true } },
    ];
    for (const { title, job } of waiting) {
      test(`is stored and waits for ${title}`, async () => {
        await using temp = await prepared(makeStore, []);
        const { store } = temp;
        await store.queues.limit("full", { concurrency: 1 });
        await store.leases.enqueueFor("worker-1", newJob({ id: "runs", key: "k", queue: "full" }));
        const { claimed } = await store.leases.enqueueFor("worker-0", newJob({ ...job, id: "mine" }));
        expect(claimed).toBeNull();
        expect((await store.jobs.find("mine")).state).toBe("pending");
      });
    }

    test("is not kept by the pause of its queue", async () => {
      await using temp = await prepared(makeStore, []);
      await temp.store.queues.pause(["default"]);
      expect((await temp.store.leases.enqueueFor("worker-0", newJob())).claimed).not.toBeNull();
    });

    test("is stored and not claimed when its worker is not entered any more", async () => {
      await using temp = await prepared(makeStore, []);
      const { job, claimed } = await temp.store.leases.enqueueFor("gone", newJob());
      expect([claimed, (await temp.store.jobs.find(job.id)).state]).toEqual([null, "pending"]);
    });

    test("is refused, and nothing stored, when its id is taken", async () => {
      await using temp = await prepared(makeStore, [{ id: "taken" }]);
      const refusal = await refusalOf(temp.store.leases.enqueueFor("worker-0", newJob({ id: "taken" })));
      expect([refusal.kind, (await allJobs(temp.store)).length]).toEqual(["conflict", 1]);
    });
  });

  describe("a job that waits for its moment", () => {
    test("is not claimed before it, and is from it on", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      const run_at = clock.now + 60_000;
      await store.jobs.enqueue(newJob({ id: "later", run_at }));
      clock.now = run_at - 1;
      expect(await claimedIds(temp, {})).toEqual([]);
      clock.now = run_at;
      expect(await claimedIds(temp, {})).toEqual(["later"]);
    });

    test("takes the place of its own enqueue order and priority once it has come", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      await store.jobs.enqueue(newJob({ id: "1-scheduled", run_at: clock.now + 2000 }));
      const { seq } = await store.jobs.enqueue(newJob({ id: "2-failed" }));
      await settle(store, (await runAgain(store, seq)).lease, exitWith(1));
      await store.jobs.enqueue(newJob({ id: "3" }));
      await store.jobs.enqueue(newJob({ id: "4-scheduled-sooner", run_at: clock.now + 1000 }));
      await store.jobs.enqueue(newJob({ id: "5-urgent", priority: 5, run_at: clock.now + 2000 }));
      await store.jobs.enqueue(newJob({ id: "6" }));
      clock.now += 2000;
      const order = ["5-urgent", "1-scheduled", "2-failed", "3", "4-scheduled-sooner", "6"];
      const ids: string[] = [];
      for (const worker_id of manyWorkers) ids.push(...(await claimedIds(temp, { worker_ids: [worker_id] })));
      expect(ids).toEqual(order);
    });

    test("takes the place of its own enqueue order when retried by hand", async () => {
      await using temp = await prepared(makeStore, [{ id: "a" }, { id: "b" }, { id: "c" }]);
      const { store } = temp;
      const { seq } = await store.jobs.find("b");
      await store.jobs.cancel([seq]);
      await store.jobs.retry([seq]);
      expect(await claimedIds(temp, {})).toEqual(["a", "b", "c"]);
    });

    test("keeps its place when a run was given back", async () => {
      await using temp = await prepared(makeStore, [{ id: "a" }, { id: "b" }]);
      const { store } = temp;
      const [first] = await claim(store, { worker_ids: ["worker-0"] });
      await settle(store, first!.lease, endedAs("released"));
      expect(await claimedIds(temp, {})).toEqual(["a", "b"]);
    });

    test("a job that may run is not put off when the clock is set back", async () => {
      await using temp = await prepared(makeStore, [{ id: "a" }]);
      temp.clock.now -= 3_600_000;
      expect(await claimedIds(temp, {})).toEqual(["a"]);
    });
  });

  describe("the next moment at which a job falls due", () => {
    test("is the earliest of those that wait in the queues asked for", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      const { now } = clock;
      const next = async (queues: string[] | null) => (await claimTurn(store, { queues })).next_due_at;
      expect(await next(null)).toBeNull();
      await store.jobs.enqueue(newJob({ queue: "x", run_at: now + 3000 }));
      await store.jobs.enqueue(newJob({ queue: "y", run_at: now + 2000 }));
      await store.jobs.enqueue(newJob({ queue: "x", run_at: now + 1000 }));
      expect(await next(null)).toBe(now + 1000);
      expect(await next(["x"])).toBe(now + 1000);
      expect(await next(["y"])).toBe(now + 2000);
      expect(await next(["y", "x"])).toBe(now + 1000);
      expect(await next(["z"])).toBeNull();
    });

    test("counts retries too", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      await jobIn(store, "failed");
      expect((await claimTurn(store)).next_due_at).toBe(clock.now + 2000);
    });

    test("is told by the turn that claimed all there was, and by one that settled", async () => {
      await using temp = await prepared(makeStore, [{}]);
      const { store, clock } = temp;
      await store.jobs.enqueue(newJob({ run_at: clock.now + 9000 }));
      const turn = await claimTurn(store, { worker_ids: ["worker-0", "worker-1"] });
      expect(turn.claimed.length).toBe(1);
      expect(turn.next_due_at).toBe(clock.now + 9000);
      const next = await store.leases.exchange({
        started: [],
        ended: [{ lease: turn.claimed[0]!.lease, ending: exitWith(1) }],
        settings,
        wanted: { worker_ids: ["worker-0"], queues: null },
      });
      expect(next.next_due_at).toBe(clock.now + 2000);
    });

    test("is not told when more may be claimed at once, nor when nothing was wanted", async () => {
      await using temp = await prepared(makeStore, [{}, {}]);
      const { store, clock } = temp;
      await store.jobs.enqueue(newJob({ run_at: clock.now + 9000 }));
      expect((await claimTurn(store, { worker_ids: ["worker-0"] })).next_due_at).toBeNull();
      const idle = { started: [], ended: [], settings, wanted: null };
      expect(await store.leases.exchange(idle)).toEqual({
        stale: [],
        settled: [],
        claimed: [],
        next_due_at: null,
      });
    });
  });
}

/** A store with these jobs, and a process of ten workers. */
async function prepared(makeStore: MakeStore, jobs: readonly Partial<NewJob>[]): Promise<TempStore> {
  const temp = await makeStore();
  await register(temp.store, "worker-a", ...manyWorkers);
  for (const job of jobs) await temp.store.jobs.enqueue(newJob(job));
  return temp;
}

const claimedIds = async ({ store }: TempStore, wanted: Partial<Wanted>) =>
  (await claim(store, { worker_ids: manyWorkers, ...wanted })).map(({ job }) => job.id);
