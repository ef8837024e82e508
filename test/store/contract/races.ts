import { describe, expect, test } from "bun:test";
import {
  allJobs,
  asyncly,
  claim,
  exitWith,
  newJob,
  register,
  runningJob,
  settle,
} from "../../support/sample-jobs.ts";
import { runTogether } from "../../support/start-together.ts";
import { type StoreKind, tempStore } from "../../support/temp-store.ts";

const processes = 4;

export function raceContract(kind: StoreKind): void {
  describe("several processes at once", () => {
    test("each job is claimed by exactly one of them", async () => {
      await using temp = await tempStore(kind);
      temp.clock.now = Date.now() - 1000;
      const jobs = Array.from({ length: 400 }, (_, n) =>
        newJob({ priority: (n % 5) + 1, queue: `q${n % 3}` }),
      );
      await temp.store.jobs.enqueueAll(asyncly(jobs));
      const claims = await runTogether(processes, ["claim-all.ts"], temp.environment);
      const seqs = (await allJobs(temp.store)).map(({ seq }) => `${seq} 1`);
      expect(claims.flat().toSorted()).toEqual(seqs.toSorted());
      expect(await temp.store.stats.read()).toMatchObject({ completed: 400, total: 400, success_runs: 400 });
    }, 60_000);

    test("no more of a queue run than may, never two of one key, and all run once", async () => {
      await using temp = await tempStore(kind);
      temp.clock.now = Date.now() - 1000;
      await temp.store.queues.limit("narrow", { concurrency: 2 });
      const jobs = Array.from({ length: 120 }, (_, n) =>
        newJob({ priority: (n % 5) + 1, queue: n % 2 ? "narrow" : "wide", key: n % 3 ? null : `k${n % 4}` }),
      );
      await temp.store.jobs.enqueueAll(asyncly(jobs));
      const claims = await runTogether(processes, ["claim-limited.ts"], temp.environment);
      const seqs = (await allJobs(temp.store)).map(({ seq }) => `${seq} 1`);
      expect(claims.flat().toSorted()).toEqual(seqs.toSorted());
    }, 60_000);

    test("no more of a queue start within any time of its rate's length than may, by the store's own clock", async () => {
      await using database = await kind.makeDatabase();
      const opened = await Promise.all(Array.from({ length: 6 }, () => database.open()));
      const workers = Array.from({ length: 24 }, (_, n) => `worker-${n}`);
      await register(opened[0]!, ...workers);
      await opened[0]!.queues.limit("default", { rate: { starts: 5, per: 1 } });
      await opened[0]!.jobs.enqueueAll(asyncly(Array.from({ length: 20 }, () => newJob())));
      const starts: number[] = [];
      const claimAll = async (worker_id: string, n: number) => {
        while (starts.length < 20) {
          const claimed = await claim(opened[n % 6]!, { worker_ids: [worker_id] });
          starts.push(...claimed.map(({ job }) => job.started_at!));
          await Bun.sleep(5);
        }
      };
      await Promise.all(workers.map(claimAll));
      const within = (from: number) => starts.filter((at) => at >= from && at < from + 1000).length;
      expect(Math.max(...starts.map(within))).toBeLessThanOrEqual(5);
      for (const store of opened) await store[Symbol.asyncDispose]();
    }, 60_000);

    test("a job that comes after one that ends in the same moment is told of it, whichever was first", async () => {
      await using temp = await tempStore(kind);
      const { store } = temp;
      const others = [await temp.another(), await temp.another(), await temp.another()];
      for (let round = 0; round < 100; round++) {
        const parent = await runningJob(store, { max_retries: 0 });
        const after = [{ id: parent.job.id, if_fails: "cancel" }] as const;
        const enqueueing = others.map(async (other, n) => {
          await Bun.sleep(n * (round % 4));
          return other.jobs.enqueue(newJob({ after }));
        });
        const [children] = await Promise.all([
          Promise.all(enqueueing),
          Bun.sleep(round % 5).then(() => settle(store, parent.lease, exitWith(round % 2))),
        ]);
        for (const { id } of children) {
          const { state, unmet } = await store.jobs.find(id);
          expect([round, state, unmet]).toEqual([round, round % 2 === 0 ? "pending" : "cancelled", 0]);
        }
        await store.jobs.cancel(children.map(({ seq }) => seq)).catch(() => {});
      }
    }, 120_000);

    test("nothing is lost that any of them enqueued, and no id is given twice", async () => {
      await using temp = await tempStore(kind);
      const count = 25;
      const printed = await runTogether(processes, ["enqueue-many.ts", `${count}`], temp.environment);
      const stored = await allJobs(temp.store);
      expect(stored.map(({ id }) => id).toSorted()).toEqual(printed.flat().toSorted());
      expect(new Set(printed.flat()).size).toBe(processes * count * 2);
      expect(await temp.store.stats.outstanding(null)).toBe(processes * count * 2);
      for (const ids of printed) {
        const own = new Set(ids);
        expect(stored.filter(({ id }) => own.has(id)).map(({ id }) => id)).toEqual(ids.toReversed());
      }
    }, 60_000);

    test("a new database may be made by all of them, and nothing is lost", async () => {
      await using database = await kind.makeDatabase();
      const printed = await runTogether(6, ["enqueue-many.ts", "3"], database.environment);
      await using store = await database.open();
      expect((await store.stats.read()).total).toBe(36);
      for (const id of printed.flat()) expect((await store.jobs.find(id)).id).toBe(id);
    }, 60_000);
  });
}
