// What a family of jobs costs in PostgreSQL goes with how many they are. Told by how many rows the server says that it looked at, since most of
// the statements stand in functions; and in a database whose rows nobody has counted yet, as after a list that was just enqueued.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import type { NewJob } from "../../../src/domain/job.ts";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { othersHaveReported } from "../../support/postgres-figures.ts";
import { noPostgres, postgresServer } from "../../support/postgres-server.ts";
import { asyncly, newJob } from "../../support/sample-jobs.ts";

// A real server on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const many = 2_000;

/** Rows and index entries to look at for each of a family; with a walk through all for each they are thousands. */
const fewRows = 60;

const families: Readonly<Record<string, (n: number) => number>> = {
  "jobs that come after one": () => 0,
  "jobs each of which comes after the one before": (n) => n - 1,
};

function* family(parentOf: (n: number) => number): Generator<NewJob> {
  yield newJob({ id: "job-0" });
  for (let n = 1; n < many; n++)
    yield newJob({ id: `job-${n}`, after: [{ id: `job-${parentOf(n)}`, if_fails: "cancel" }] });
}

describe.skipIf(noPostgres !== undefined)("what each of a family costs does not grow with it", () => {
  test.each(Object.keys(families))("when %s are enqueued, and cancelled with the first", async (name) => {
    await using database = await (await postgresServer()).newDatabase();
    await using sql = new SQL(database.url, { max: 1 });
    const rowsFor = async (step: (store: Store) => Promise<unknown>) => {
      await othersHaveReported(sql);
      const before = await rowsRead(sql);
      {
        await using store = await openPostgres({ url: database.url });
        await step(store);
      }
      await othersHaveReported(sql);
      return ((await rowsRead(sql)) - before) / many;
    };
    await (await openPostgres({ url: database.url }))[Symbol.asyncDispose]();
    const enqueued = await rowsFor((store) => store.jobs.enqueueAll(asyncly(family(families[name]!))));
    expect(enqueued).toBeLessThan(fewRows);
    const cancelled = await rowsFor(async (store) => {
      await store.jobs.cancel([(await store.jobs.find("job-0")).seq]);
      expect((await store.stats.read()).cancelled).toBe(many);
    });
    expect(cancelled).toBeLessThan(fewRows);
  });
});

/** Rows and index entries of the tables of jobs and families that were looked at so far. */
async function rowsRead(sql: SQL): Promise<number> {
  const [{ rows }] = await sql`
    select (
      (select sum(seq_tup_read) from pg_stat_user_tables where relname in ('jobs', 'dependencies', 'staged'))
      + (select sum(idx_tup_read) from pg_stat_user_indexes where relname in ('jobs', 'dependencies', 'staged'))
    )::integer as rows
  `;
  return rows;
}
