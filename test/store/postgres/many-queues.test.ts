// A turn in PostgreSQL looks at each of many queues, and at few of each one's jobs. Told by how many rows the server says that it looked at, since
// the statements stand in functions.

import { expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { othersHaveReported } from "../../support/postgres-figures.ts";
import { noPostgres, postgresServer } from "../../support/postgres-server.ts";
import { asyncly, claim, newJob, register } from "../../support/sample-jobs.ts";

// A real server on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const queues = 300;

const together = 8;

/** Rows and index entries of jobs and of counts to look at for each queue. */
const fewRows = 7;

const worker_ids = Array.from({ length: together }, (_, n) => `worker-${n}`);

test.skipIf(noPostgres !== undefined).each([
  ["in enqueue order", {}, (n: number) => (n < together ? 0 : 1)],
  ["in turns", { isFair: true }, (n: number) => n],
  ["with limits", { concurrency: 1 }, (n: number) => n],
])("claims from many queues %s look at few jobs and counts of each", async (_, how, queueOf) => {
  const { isFair = false, concurrency } = how as { isFair?: boolean; concurrency?: number };
  await using database = await (await postgresServer()).newDatabase();
  await using sql = new SQL(database.url, { max: 1 });
  {
    await using store = await openPostgres({ url: database.url });
    await register(store, ...worker_ids);
    const jobs = Array.from({ length: queues * together }, (_, n) => n);
    await store.jobs.enqueueAll(
      asyncly(jobs.map((n) => newJob({ queue: `queue-${Math.floor(n / together)}` }))),
    );
    if (concurrency !== undefined)
      for (let n = 0; n < queues; n++) await store.queues.limit(`queue-${n}`, { concurrency });
  }
  await othersHaveReported(sql);
  const before = await rowsRead(sql);
  const claimed: string[] = [];
  {
    await using store = await openPostgres({ url: database.url });
    for (let turn = 0; turn < 2; turn++)
      claimed.push(...(await claim(store, { worker_ids, isFair })).map(({ job }) => job.queue));
  }
  await othersHaveReported(sql);
  expect(claimed).toEqual(claimed.map((_, n) => `queue-${queueOf(n)}`));
  expect(claimed.length).toBe(2 * together);
  expect(((await rowsRead(sql)) - before) / 2 / queues).toBeLessThan(fewRows);
});

test.skipIf(noPostgres !== undefined)(
  "a list of a state looks at few jobs of each of many queues",
  async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using sql = new SQL(database.url, { max: 1 });
    {
      await using store = await openPostgres({ url: database.url });
      const jobs = Array.from({ length: queues * 50 }, (_, n) => newJob({ queue: `queue-${n % queues}` }));
      await store.jobs.enqueueAll(asyncly(jobs));
    }
    await sql.unsafe("vacuum analyze");
    await othersHaveReported(sql);
    const before = await rowsRead(sql);
    {
      await using store = await openPostgres({ url: database.url });
      await store.jobs.list({ state: "pending" }, { limit: 50 });
    }
    await othersHaveReported(sql);
    expect(((await rowsRead(sql)) - before) / queues).toBeLessThan(fewRows);
  },
);

async function rowsRead(sql: SQL): Promise<number> {
  const [{ rows }] = await sql`
    select (
      (select sum(seq_tup_read) from pg_stat_user_tables where relname in ('jobs', 'counts', 'count_changes'))
      + (select sum(idx_tup_read) from pg_stat_user_indexes where relname in ('jobs', 'counts', 'count_changes'))
    )::integer as rows
  `;
  return rows;
}
