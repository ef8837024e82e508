// Promise 9: an old database opens. Schema changes are migrations, each in one transaction: it happens whole or not at all, however
// many processes want it, and whatever becomes of them.

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { SQL } from "bun";
import { databasePath } from "../../src/home.ts";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { connect, newestSchema } from "../../src/store/sqlite/connection.ts";
import { migrate, schemaSteps } from "../../src/store/sqlite/migrate.ts";
import { openDatabase, openSqlite } from "../../src/store/sqlite/open.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { claim, newJob, register } from "../support/sample-jobs.ts";
import { runTogether } from "../support/start-together.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const fixtures = resolve(import.meta.dir, "../fixtures");
const released = readdirSync(fixtures)
  .flatMap((name) => /^schema-(\d+)\.sql$/.exec(name)?.[1] ?? [])
  .map(Number)
  .toSorted((a, b) => a - b);

function load(version: number, q: Queuectl): void {
  mkdirSync(q.home, { mode: 0o700 });
  using db = new Database(databasePath(q.home), { create: true, readwrite: true });
  db.run(readFileSync(join(fixtures, `schema-${version}.sql`), "utf8"));
}

const versionOf = (db: Database) =>
  db.query<{ user_version: number }, []>("pragma user_version").get()!.user_version;

/** The tables and indexes, by name. */
const schemaOf = (db: Database) =>
  db.query("select name, sql from sqlite_schema where name not like 'sqlite%' order by name").all();

test("every schema that was released has its fixture, and the newest fixture is the newest schema", async () => {
  expect(released).toEqual(schemaSteps.map((_, index) => index + 1));
  expect(newestSchema).toBe(schemaSteps.length);
  await using q = queuectl();
  load(schemaSteps.length, q);
  using folder = tempFolder();
  await (await openSqlite({ path: databasePath(folder.path) }))[Symbol.asyncDispose]();
  using fixture = new Database(databasePath(q.home));
  using fresh = new Database(databasePath(folder.path));
  // When this fails, a step that databases have already taken was changed. Write a new step instead; or, as long as the newest
  // schema is not released, make its fixture again.
  expect(schemaOf(fixture)).toEqual(schemaOf(fresh));
});

for (const version of released) {
  test(`a database of schema ${version} opens with all that is in it, and its jobs run`, async () => {
    await using q = queuectl();
    load(version, q);
    const states = Object.fromEntries(
      (await q.json("list")).map(({ id, state }: { id: string; state: string }) => [id, state]),
    );
    expect(states).toEqual({
      completed: "completed",
      failed: "failed",
      dead: "dead",
      cancelled: "cancelled",
      pending: "pending",
      scheduled: "pending",
      processing: "processing",
    });
    expect((await q("doctor")).status).toBe(0);
    expect(await q.json("show", "failed")).toMatchObject({
      queue: "mail",
      env: { GREETING: "hello" },
      attempts_history: [{ number: 1, result: "exited", exit_code: 3 }],
    });
    expect(await q.ok("config", "get", "max_retries")).toBe("5");
    expect(await q.json("list", "--tag", "nightly")).toHaveLength(1);

    await q.ok("dlq", "retry", "dead");
    await q.ok("worker", "--until-empty", "--count", "2");
    expect(await q.json("status")).toMatchObject({ completed: 6, cancelled: 1, total: 7 });
    for (const id of ["failed", "dead", "pending", "scheduled", "processing"])
      expect(await q.ok("logs", id)).toBe(id);
    const { attempts, attempts_history } = await q.json("show", "processing");
    expect(attempts).toBe(1);
    expect(attempts_history.map(({ result }: { result: string }) => result)).toEqual(["lost", "exited"]);
    using db = new Database(databasePath(q.home));
    expect(versionOf(db)).toBe(schemaSteps.length);
  });
}

const newest = schemaSteps.length;

test("a step that fails half-way leaves the schema before it, and the queue goes on with that", async () => {
  await using q = queuectl();
  load(newest, q);
  const path = databasePath(q.home);
  const connection = connect(path, openDatabase(path), Date.now);
  const before = schemaOf(connection.db);
  const failing = `
    create table half (n integer);
    alter table jobs add column half integer;
    update jobs set state = 'completed', half = 1;
    insert into nowhere values (1);
  `;
  await expect(migrate(connection, [...schemaSteps, failing])).rejects.toThrow();
  connection.close();
  using db = new Database(path);
  expect([versionOf(db), schemaOf(db)]).toEqual([newest, before]);
  await q.ok("worker", "--until-empty");
  expect((await q.json("status")).completed).toBe(5);
});

test("a process that is killed in the middle of a step leaves the schema before it", async () => {
  await using q = queuectl();
  load(newest, q);
  const endless = `
    create table half (n integer);
    insert into half with recursive count (n) as (select 1 union all select n + 1 from count) select n from count;
  `;
  const child = Bun.spawn([process.execPath, resolve(import.meta.dir, "../programs/migrate.ts"), endless], {
    env: { ...process.env, QUEUECTL_HOME: q.home },
    stdin: "pipe",
    stdout: "ignore",
    stderr: "inherit",
  });
  child.stdin.write("go\n");
  await child.stdin.end();
  // What does not fit into its memory goes to the write-ahead log long before it is committed.
  const log = `${databasePath(q.home)}-wal`;
  await waitUntil("the step writes", () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 1_000_000);
  child.kill("SIGKILL");
  await child.exited;
  using db = new Database(databasePath(q.home));
  expect(versionOf(db)).toBe(newest);
  expect(db.query("select name from sqlite_schema where name = 'half'").all()).toEqual([]);
  await q.ok("worker", "--until-empty");
  expect((await q.json("status")).completed).toBe(5);
});

test("of several processes that find an old schema at once, one takes the step and all go on", async () => {
  await using q = queuectl();
  load(newest, q);
  // Taking it twice would fail.
  await runTogether(6, ["migrate.ts", "create table once (n integer); insert into once values (1)"], {
    QUEUECTL_HOME: q.home,
  });
  using db = new Database(databasePath(q.home));
  expect(versionOf(db)).toBe(newest + 1);
  expect(db.query("select count(*) as n from once").get()).toEqual({ n: 1 });
});

test("several processes may be the first in a new home at once", async () => {
  for (let round = 0; round < 5; round++) {
    await using q = queuectl();
    const results = await Promise.all(Array.from({ length: 6 }, () => q("enqueue", "true")));
    for (const { status, stderr } of results) expect([status, stderr]).toEqual([0, ""]);
    const ids = results.map(({ stdout }) => stdout.trim()).toSorted();
    expect((await q.json("list")).map(({ id }: { id: string }) => id).toSorted()).toEqual(ids);
  }
});

test.skipIf(noPostgres !== undefined)(
  "on PostgreSQL a program that has asked before goes on when a newer one adds a column",
  async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using store = await openPostgres({ url: database.url });
    await using sql = new SQL(database.url, { max: 1 });
    const ask = async (id: string) => {
      await store.jobs.enqueue(newJob({ id }));
      const [claimed] = await claim(store);
      await store.leases.snooze(claimed!.job.seq, claimed!.attempt, 1000);
      return (await store.jobs.find(id)).state;
    };
    await register(store, "worker-a");
    expect(await ask("before")).toBe("processing");
    await sql`alter table queuectl.jobs add column newer integer`;
    expect(await ask("after")).toBe("processing");
  },
);
