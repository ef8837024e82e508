// What PostgreSQL alone needs care of: what piles up and has to go, and what must not be written anew again and again.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUIDv7, SQL } from "bun";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { othersHaveReported } from "../../support/postgres-figures.ts";
import { noPostgres, postgresServer, type TempPostgres } from "../../support/postgres-server.ts";
import { jobIn, newJob, refusalOf, register } from "../../support/sample-jobs.ts";
import { postgres, tempPostgresWithLeases } from "../../support/temp-postgres.ts";
import { tempStore } from "../../support/temp-store.ts";

// Real files on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const dayMs = 86_400_000;

describe.skipIf(noPostgres !== undefined)("pruning", () => {
  test("removes figures that no chart looks back to, and keeps the others", async () => {
    await using temp = await tempStore(postgres);
    const { store, clock, environment } = temp;
    await using sql = new SQL(environment.QUEUECTL_DATABASE_URL!, { max: 1 });
    await jobIn(store, "completed");
    clock.now += 40 * dayMs;
    await jobIn(store, "completed");
    const kept = async () => ({
      buckets: [
        ...(await sql`select width::integer as width, count(distinct start)::integer as n from queuectl.all_run_buckets group by 1 order by 1`),
      ],
      hours: (await sql`select distinct hour from queuectl.all_run_durations`).length,
    });
    expect(await kept()).toMatchObject({ buckets: [{ n: 2 }, { n: 2 }], hours: 2 });
    await store.jobs.prune(0, 100);
    expect(await kept()).toMatchObject({ buckets: [{ n: 1 }, { n: 1 }], hours: 1 });
    clock.now += dayMs;
    await store.jobs.prune(0, 100);
    expect(await kept()).toMatchObject({ buckets: [{ width: 3_600_000, n: 1 }], hours: 1 });
  });

  test("removes what an enqueue that was cut off has left a day ago, some rows at a time", async () => {
    await using database = await newDatabase();
    await using store = await openPostgres({ url: database.url });
    await using sql = new SQL(database.url, { max: 1 });
    const stage = (began: number) => sql`
      insert into queuectl.staged (batch, place, id, given, command, max_retries, priority, timeout, queue, tags, cwd, env, rules, held, after, unique_ms)
      select ${randomUUIDv7("hex", began)}::uuid, place, 'x', false, 'true', 0, 1, 0, 'q', '[]', '/', '{}', '{}', false, '[]', 0
      from generate_series(1, 5) as place
    `;
    await stage(Date.now() - dayMs - 60_000);
    await stage(Date.now() - dayMs + 60_000);
    const left = async () => (await sql`select count(*)::integer as n from queuectl.staged`)[0].n;
    await store.jobs.prune(0, 3);
    expect(await left()).toBe(7);
    await store.jobs.prune(0, 3);
    await store.jobs.prune(0, 3);
    expect(await left()).toBe(5);
  });

  test("an enqueue of which something was lost on the way stores nothing, and says so", async () => {
    await using database = await newDatabase();
    await using store = await openPostgres({ url: database.url });
    await using sql = new SQL(database.url, { max: 1 });
    async function* source() {
      for (let n = 0; n < 1500; n++) {
        if (n === 1200) await sql`truncate queuectl.staged`;
        yield newJob();
      }
    }
    expect((await refusalOf(store.jobs.enqueueAll(source()))).message).toContain("none is stored");
    expect((await store.stats.read()).total).toBe(0);
  });
});

describe.skipIf(noPostgres !== undefined)("a heartbeat", () => {
  test("writes its own process's row in place, and nothing else", async () => {
    await using temp = await tempPostgresWithLeases();
    const url = temp.environment.QUEUECTL_DATABASE_URL!;
    const ids = await Promise.all([1, 2, 3].map((n) => register(temp.store, `worker-${n}`)));
    for (let n = 0; n < 50; n++) {
      await jobIn(temp.store, "pending");
      expect(await temp.store.workers.heartbeat(ids[n % 3]!)).toBe(true);
    }
    await temp.store[Symbol.asyncDispose]();
    const [own, ...others] = await updatesOf(url);
    expect(own).toEqual({ table: "worker_processes", updated: 50, in_place: 50 });
    expect(others.filter(({ table }) => table !== "counts")).toEqual([]);
  });
});

const newDatabase = async (): Promise<TempPostgres> => (await postgresServer()).newDatabase();

/** How many rows were updated, and how many of them without touching an index: first of worker processes. */
async function updatesOf(url: string) {
  await using sql = new SQL(url, { max: 1 });
  await othersHaveReported(sql);
  const rows: { table: string; updated: number; in_place: number }[] = await sql`
    select relname as table, n_tup_upd::integer as updated, n_tup_hot_upd::integer as in_place
    from pg_stat_user_tables where schemaname = 'queuectl' and n_tup_upd > 0 order by relname <> 'worker_processes'
  `;
  return [...rows];
}
