// What is counted is written as changes and added up now and then: no reader may see any of it twice or not at all.

import { expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { noPostgres, postgresServer } from "../../support/postgres-server.ts";
import { claim, exitWith, newJob, register, settle } from "../../support/sample-jobs.ts";

setDefaultTimeout(120_000);

const jobs = 120;

test.skipIf(noPostgres !== undefined)(
  "counts are exact while changes are added up, and afterwards",
  async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using store = await openPostgres({ url: database.url });
    await using sql = new SQL(database.url, { max: 2 });
    await store.jobs.enqueueAll(
      (async function* () {
        for (let n = 0; n < jobs; n++) yield newJob({ queue: `q${n % 2}` });
      })(),
    );
    await register(store, "worker-a", "worker-b");
    const working = Promise.all(["worker-a", "worker-b"].map((id) => drain(id)));
    let isOver = false;
    void working.finally(() => {
      isOver = true;
    });
    do {
      const [, { total, processing, completed, success_runs }] = await Promise.all([
        sql`select queuectl.add_up()`,
        store.stats.read(),
      ]);
      expect(total).toBe(jobs);
      expect(processing).toBeLessThanOrEqual(2);
      expect(success_runs).toBeGreaterThanOrEqual(completed);
    } while (!isOver);
    await working;
    const read = async () => ({
      status: await store.stats.read(),
      queues: await store.stats.queues(),
      runs: (await store.stats.throughput("day")).buckets.reduce((sum, one) => sum + one.completed, 0),
      longest: await store.stats.durationUnder(1),
    });
    const before = await read();
    expect(before).toMatchObject({
      status: { completed: jobs, success_runs: jobs, avg_duration: 1 },
      runs: jobs,
    });
    await sql`select queuectl.add_up()`;
    expect(await read()).toEqual(before);
    const [left] = await sql`
    select (select count(*) from queuectl.count_changes)::integer + (select count(*) from queuectl.run_changes)::integer as n
  `;
    expect(left.n).toBe(0);

    async function drain(worker_id: string): Promise<void> {
      await using own = await openPostgres({ url: database.url });
      for (;;) {
        const [job] = await claim(own, { worker_ids: [worker_id] });
        if (!job) return;
        await settle(own, job.lease, exitWith(0));
      }
    }
  },
);

test.skipIf(noPostgres !== undefined)("queues that come and go leave no counts behind", async () => {
  await using database = await (await postgresServer()).newDatabase();
  await using store = await openPostgres({ url: database.url });
  await using sql = new SQL(database.url, { max: 1 });
  await register(store, "worker-a");
  for (let n = 0; n < 3; n++) await store.jobs.enqueue(newJob({ queue: `bygone-${n}` }));
  await store.jobs.enqueue(newJob({ queue: "waits", priority: 1 }));
  for (let n = 0; n < 3; n++) {
    const [job] = await claim(store);
    await sql`select queuectl.add_up()`;
    await settle(store, job!.lease, exitWith(0));
  }
  const later = (await store.now()) + 1000;
  expect((await store.jobs.prune(later, 100)).length).toBe(3);
  await store.jobs.prune(later, 100);
  const counted = await sql`select queue, state, jobs::integer as jobs from queuectl.counts`;
  expect([...counted]).toEqual([{ queue: "waits", state: "pending", jobs: 1 }]);
});
