// A queue that moves to another database and back is the same queue.

import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SQL } from "bun";
import type { Stream } from "../../src/domain/rules.ts";
import { databasePath, errorLogPath, jobLogPath } from "../../src/home.ts";
import { Queue } from "../../src/index.ts";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import { movedTables } from "../../src/store/transfer.ts";
import { noPostgres, postgresServer, type TempPostgres } from "../support/postgres-server.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { newJob, refusalOf, register } from "../support/sample-jobs.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const newDatabase = async (): Promise<TempPostgres> => (await postgresServer()).newDatabase();

const at = ({ url }: { readonly url: string }) => ({ env: { QUEUECTL_DATABASE_URL: url } });

describe.skipIf(noPostgres !== undefined)("a queue that moves", () => {
  test("is the same in PostgreSQL, and the same again when it has come back", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await fill(queue);
    const before = await everythingOf(queue);
    await queue.ok("migrate", "--to", database.url);
    expect(await everythingOf(queue, at(database))).toEqual(before);

    const home = join(queue.folder, "back");
    const back = await queue.with(at(database), "migrate", "--to", home);
    expect(back).toMatchObject({ status: 0, stdout: "" });
    expect(await everythingOf(queue, { env: { QUEUECTL_HOME: home } })).toEqual(before);
  });

  test("takes along what its jobs printed, byte for byte", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.ok("config", "set", "backoff_base", "0");
    await queue.ok("enqueue", "--id", "large", "head -c 6000000 /dev/urandom");
    await queue.ok("enqueue", "--id", "apart", "--split", "echo told; echo wrong >&2");
    await queue.ok("enqueue", "--id", "twice", "--max-retries", "1", "echo $QUEUECTL_ATTEMPT; exit 1");
    await queue.ok("enqueue", "--id", "gone", "echo gone");
    await queue.ok("worker", "--until-empty");
    const leftover = jobLogPath(queue.home, 4, 1);
    const kept = readFileSync(leftover);
    await queue.ok("delete", "gone");
    writeFileSync(leftover, kept);
    await queue.ok("migrate", "--to", database.url);

    const here = (seq: number, attempt: number) => readFileSync(jobLogPath(queue.home, seq, attempt));
    await using there = await openPostgres({ url: database.url });
    const { output } = there;
    const of = (job_seq: number, attempt: number, stream: Stream = "stdout") => ({
      job_seq,
      attempt,
      stream,
    });
    const read = async (seq: number, attempt: number, from: number, limit: number) =>
      Buffer.from((await output!.read(of(seq, attempt), from, limit)).bytes);
    expect((await read(1, 1, 0, 7_000_000)).equals(here(1, 1))).toBe(true);
    expect((await read(1, 1, 700_000, 5)).equals(here(1, 1).subarray(700_000, 700_005))).toBe(true);
    expect((await read(3, 2, 0, 10)).toString()).toBe("2\n");
    const wrong = await output!.read(of(2, 1, "stderr"), 0, 10);
    expect(Buffer.from(wrong.bytes).toString()).toBe("wrong\n");
    expect(await output!.size(of(4, 1))).toBe(0);

    const home = join(queue.folder, "back");
    await queue.with(at(database), "migrate", "--to", home);
    for (const [seq, attempt] of [
      [1, 1],
      [2, 1],
      [3, 1],
      [3, 2],
    ] as const) {
      expect(readFileSync(jobLogPath(home, seq, attempt)).equals(here(seq, attempt))).toBe(true);
    }
    expect(readFileSync(errorLogPath(jobLogPath(home, 2, 1)), "utf8")).toBe("wrong\n");
    expect(existsSync(jobLogPath(home, 4, 1))).toBe(false);
    expect(statSync(jobLogPath(home, 2, 1)).mode & 0o777).toBe(0o600);
  });

  test("takes along what is left of output of which some was left out, and where", async () => {
    await using queue = queuectl({ QUEUECTL_LOG_LIMIT: "64KiB" });
    await using database = await newDatabase();
    await queue.ok("run", "seq 200000", "--id", "numbers");
    const here = await queue("logs", "numbers");
    expect([here.stdout.length, here.stderr]).toEqual([65_536, expect.stringContaining("left out here")]);
    const run = (await queue.json("show", "numbers")).attempts_history[0];
    await queue.ok("migrate", "--to", database.url);
    expect(await queue.with(at(database), "logs", "numbers")).toEqual(here);
    const home = join(queue.folder, "back");
    await queue.with(at(database), "migrate", "--to", home);
    const there = { env: { QUEUECTL_HOME: home } };
    expect(await queue.with(there, "logs", "numbers")).toEqual(here);
    const moved = JSON.parse((await queue.with(there, "show", "numbers", "--json")).stdout);
    expect(moved.attempts_history[0]).toMatchObject({ log_bytes: 65_536, log_left_out: run.log_left_out });
    expect(statSync(jobLogPath(home, 1, 1)).size).toBe(65_536);
  });

  test("goes on with its numbers, so that no log is taken for another job's", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    for (const id of ["a", "b", "c"]) await queue.ok("enqueue", "--id", id, "true");
    await queue.ok("delete", "c");
    await queue.ok("migrate", "--to", database.url);
    await using there = await openPostgres({ url: database.url });
    expect((await there.jobs.enqueue(newJob())).seq).toBe(4);
    await there.jobs.delete([4]);
    const home = join(queue.folder, "back");
    await queue.with(at(database), "migrate", "--to", home);
    await using back = await openSqlite({ path: databasePath(home) });
    expect((await back.jobs.enqueue(newJob())).seq).toBe(5);
  });

  test("runs on where it came to, from the attempt where it was", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.ok("config", "set", "backoff_base", "0");
    await queue.ok("enqueue", "--id", "dies", "--max-retries", "0", "exit 3");
    await queue.ok("worker", "--until-empty");
    await queue.ok("enqueue", "--id", "waits", "true");
    await queue.ok("migrate", "--to", database.url);
    const there = (...words: string[]) => queue.with(at(database), ...words);
    await there("dlq", "retry", "dies");
    await there("worker", "--until-empty");
    const dies = JSON.parse((await there("show", "dies", "--json")).stdout);
    expect(dies.attempts_history.map(({ number, exit_code }: never) => [number, exit_code])).toEqual([
      [1, 3],
      [2, 3],
    ]);
    expect(JSON.parse((await there("show", "waits", "--json")).stdout).state).toBe("completed");
  });

  test("leaves a mark behind that every command obeys, and that can be undone", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.ok("enqueue", "--id", "a", "true");
    await using opened = await openSqlite({ path: databasePath(queue.home) });
    const { stderr: told } = await queue("migrate", "--to", database.url);
    expect(told).toStartWith("moved 1 job with 0 attempts to PostgreSQL ");
    const line = new RegExp(
      `^queuectl: this queue moved to PostgreSQL [^ ]*/${database.name} \\(.*migrate --undo.*\\)\n$`,
    );
    for (const words of [
      ["status"],
      ["enqueue", "true"],
      ["worker"],
      ["list"],
      ["config", "set", "timeout", "1"],
    ]) {
      const { status, stdout, stderr } = await queue(...words);
      expect([status, stdout, stderr]).toEqual([1, "", expect.stringMatching(line)]);
    }
    expect((await refusalOf(opened.jobs.enqueue(newJob()))).message).toStartWith("this queue moved to");
    expect((await refusalOf(opened.settings.set("timeout", "1"))).message).toStartWith("this queue moved to");
    expect((await refusalOf(opened.refuseMoved())).message).toStartWith("this queue moved to");
    await queue.ok("migrate", "--undo");
    expect((await queue.json("list")).map(({ id }: never) => id)).toEqual(["a"]);
    await opened.jobs.enqueue(newJob());
    expect((await queue("migrate", "--undo")).stderr).toBe("queuectl: this queue has not moved\n");
  });

  test("leaves that mark in PostgreSQL too", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.with(at(database), "enqueue", "--id", "a", "true");
    await using opened = await openPostgres({ url: database.url });
    await queue.with(at(database), "migrate", "--to", "sqlite");
    expect((await queue.json("list")).map(({ id }: never) => id)).toEqual(["a"]);
    expect((await queue.with(at(database), "status")).stderr).toStartWith(
      `queuectl: this queue moved to ${databasePath(queue.home)} (`,
    );
    expect((await refusalOf(opened.jobs.enqueue(newJob()))).message).toStartWith("this queue moved to");
    expect((await refusalOf(opened.settings.set("timeout", "1"))).message).toStartWith("this queue moved to");
    expect((await refusalOf(opened.refuseMoved())).message).toStartWith("this queue moved to");
    expect(
      (await queue.with(at(database), "migrate", "--to", join(queue.folder, "again"))).stderr,
    ).toStartWith("queuectl: this queue moved to");
    expect((await queue.with(at(database), "migrate", "--undo")).status).toBe(0);
    await opened.jobs.enqueue(newJob());
  });

  for (const from of ["SQLite", "PostgreSQL"] as const) {
    test(`leaves nobody in ${from} who watches it unaware`, async () => {
      await using database = await newDatabase();
      await using here = queuectl(from === "SQLite" ? {} : { QUEUECTL_DATABASE_URL: database.url });
      await here.ok("enqueue", "--id", "a", "true");
      await using web = await webServer({ q: here });
      const wait = here.start("wait", "a");
      await wait.says("no worker");
      await using queue = await Queue.open(
        from === "SQLite" ? { home: here.home } : { database: database.url },
      );
      const watchers = [
        queue.wait("a"),
        Array.fromAsync(queue.events("a")),
        Array.fromAsync(queue.follow("a")),
      ].map(refusalOf);
      await here.ok("migrate", "--to", from === "SQLite" ? database.url : join(here.folder, "other"));
      await wait.says("queuectl: this queue moved to ");
      expect(await wait.exited).toBe(1);
      for (const { message } of await Promise.all(watchers))
        expect(message).toStartWith("this queue moved to");
      for (const page of ["/", "/jobs/a", "/healthz", "/api/v1/jobs"]) {
        const reply = await fetch(web.url + page);
        expect([reply.status, await reply.text()]).toEqual([
          503,
          expect.stringContaining("this queue moved to"),
        ]);
      }
      await here.ok("migrate", "--undo");
      expect((await fetch(`${web.url}/healthz`)).status).toBe(200);
    });
  }

  test("stays where it is as long as a worker lives", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.ok("worker", "start", "--detach");
    expect(await queue("migrate", "--to", database.url)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^queuectl: 1 worker of this queue still lives: worker-\w+ on .*worker stop/,
      ),
    });
    await queue.ok("worker", "stop", "--wait");
    await queue.ok("migrate", "--to", database.url);
  });

  test("stays where it is as long as a worker of another machine may live", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await using store = await openPostgres({ url: database.url });
    await register(store, "worker-far");
    expect((await queue.with(at(database), "migrate", "--to", "sqlite")).stderr).toStartWith(
      "queuectl: 1 worker of this queue still lives: worker-far on here",
    );
    await using sql = new SQL(database.url, { max: 1 });
    await sql`update queuectl.worker_processes set lease_until = 0`;
    expect((await queue.with(at(database), "migrate", "--to", "sqlite")).status).toBe(0);
  });

  test("stays where it is when a worker has begun while the move was waiting", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.ok("enqueue", "--id", "runs", "exec sleep 600");
    await queue.with(at(database), "status");
    await using sql = new SQL(database.url, { max: 2 });
    const { moving } = await sql.begin(async (tx) => {
      await tx`lock table queuectl.jobs in exclusive mode`;
      const moving = queue.start("migrate", "--to", database.url);
      await waitUntil("it waits for the new place", async () => {
        const [found] =
          await sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        return found !== undefined;
      });
      await queue.ok("worker", "start", "--detach");
      await waitUntil("the job runs", async () => (await queue.json("status")).processing === 1);
      return { moving };
    });
    expect(await moving.exited).toBe(1);
    expect(moving.stderr()).toStartWith("queuectl: 1 worker of this queue still lives");
    await queue.ok("cancel", "--wait", "runs");
    await queue.ok("worker", "stop", "--wait");
  });

  test("stays where it is as long as a job has not settled", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.ok("enqueue", "--id", "runs", "exec sleep 600");
    const worker = queue.start("worker");
    await worker.says("executing runs");
    worker.kill("SIGKILL");
    await worker.exited;
    expect(await queue("migrate", "--to", database.url)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("1 job ran when its worker died"),
    });
    await queue.ok("cancel", "--wait", "runs");
    await queue.ok("migrate", "--to", database.url);
  });

  test("does not mix with another one", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.with(at(database), "config", "set", "timeout", "1");
    await queue.ok("enqueue", "--id", "a", "true");
    expect(await queue("migrate", "--to", database.url)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^queuectl: there is a queue in PostgreSQL .* already \(/),
    });
    expect((await queue.with(at(database), "migrate", "--to", "sqlite")).stderr).toStartWith(
      `queuectl: there is a queue in ${databasePath(queue.home)} already (`,
    );
    await queue.ok("enqueue", "true");
    expect((await queue.with(at(database), "enqueue", "true")).status).toBe(0);
  });

  test("is where it was when the connection breaks on the way, and nowhere else", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await fillMany(queue.home, 20_000);
    await using proxy = await tcpProxy(database.url);
    const moving = queue.start("migrate", "--to", proxy.url);
    await using watcher = await openPostgres({ url: database.url });
    await waitUntil("it copies", async () => await isCopying(database.url));
    proxy.cut();
    expect(await moving.exited).toBe(1);
    expect(moving.stderr()).toMatch(/^queuectl: .*PostgreSQL.*\n$/);
    expect((await watcher.stats.read()).total).toBe(0);
    expect((await queue.json("status")).total).toBe(20_000);
    await queue.ok("enqueue", "true");
    await queue.ok("migrate", "--to", database.url);
    expect((await watcher.stats.read()).total).toBe(20_001);
  });

  test("that perhaps has arrived is not opened again where it was", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await using elsewhere = await newDatabase();
    await using proxy = await tcpProxy(database.url);
    await queue.ok("enqueue", "--id", "a", "true");
    await queue.with(at(database), "status");
    await using sql = new SQL(database.url, { max: 1 });
    await using beside = new SQL(elsewhere.url, { max: 1 });
    await sql.unsafe(`
      create function public.dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return null; end $$;
      create constraint trigger slow after insert on queuectl.jobs deferrable initially deferred
      for each row execute function public.dawdle();
    `);
    const moving = queue.start("migrate", "--to", proxy.url);
    await waitUntil("it commits", async () => {
      const [found] =
        await sql`select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
      return found !== undefined;
    });
    // Nobody can ask there what became of it.
    await beside.unsafe(`alter database ${database.name} allow_connections false`);
    proxy.cut();
    expect(await moving.exited).toBe(1);
    expect(moving.stderr()).toContain("whether the queue has arrived is not known");
    expect((await queue("list")).stderr).toStartWith("queuectl: this queue moved to");
    await waitUntil("it has arrived", async () => (await sql`select from queuectl.jobs`).length === 1);
  });

  test("leaves the logs of another queue alone", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.with(at(database), "enqueue", "true");
    const others = jobLogPath(queue.home, 1, 1);
    mkdirSync(dirname(others), { recursive: true });
    writeFileSync(others, "theirs");
    const { status, stderr } = await queue.with(at(database), "migrate", "--to", "sqlite");
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^queuectl: there are logs of another queue in /),
    ]);
    expect(readFileSync(others, "utf8")).toBe("theirs");
  });

  test("comes back whole or not at all, and leaves no file behind when it does not", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    for (const id of ["a", "b"]) await queue.ok("enqueue", "--id", id, `echo ${id}`);
    await queue.ok("worker", "--until-empty");
    await queue.ok("migrate", "--to", database.url);
    await using sql = new SQL(database.url, { max: 1 });
    // Keeps the second log from being written.
    const full = join(queue.folder, "full");
    mkdirSync(jobLogPath(full, 2, 1), { recursive: true });
    expect((await queue.with(at(database), "migrate", "--to", full)).status).toBe(1);
    expect(existsSync(jobLogPath(full, 1, 1))).toBe(false);
    const home = join(queue.folder, "back");
    // Keeps the mark from being made.
    await sql`create function queuectl.refuse_moved() returns integer language sql as 'select 1'`;
    expect((await queue.with(at(database), "migrate", "--to", home)).status).not.toBe(0);
    expect(existsSync(jobLogPath(home, 1, 1))).toBe(false);
    expect((await queue.with({ env: { QUEUECTL_HOME: home } }, "list")).stdout).toBe("");
    expect(JSON.parse((await queue.with(at(database), "status", "--json")).stdout).completed).toBe(2);
    await sql`drop function queuectl.refuse_moved`;
    await queue.with(at(database), "migrate", "--to", home);
    expect((await queue.with({ env: { QUEUECTL_HOME: home } }, "logs", "a")).stdout).toBe("a\n");
  });

  test("is where it was when the old or the new database cannot commit, and can move later", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await queue.ok("enqueue", "--id", "a", "echo a");
    await queue.ok("worker", "--until-empty");
    const there = at(database);
    await queue.with(there, "status");
    await using sql = new SQL(database.url, { max: 1 });
    await sql.unsafe(`
      create function public.refuse() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '53100', message = 'no space left on device'; end $$;
      create constraint trigger refuse after insert on queuectl.jobs deferrable initially deferred
      for each row execute function public.refuse();
    `);
    const arriving = await queue("migrate", "--to", database.url);
    expect([arriving.status, arriving.stderr]).toEqual([1, expect.stringContaining("no space left")]);
    await queue.ok("enqueue", "--id", "b", "echo b");
    expect(JSON.parse((await queue.with(there, "status", "--json")).stdout).total).toBe(0);

    await sql`drop trigger refuse on queuectl.jobs`;
    await queue.ok("migrate", "--to", database.url);
    // The mark is made within the move.
    await sql.unsafe(`
      create function public.refuse_mark() returns event_trigger language plpgsql as $$ begin
        if to_regclass('queuectl.moved') is not null and not exists (select from pg_trigger where tgname = 'refuse') then
          create constraint trigger refuse after insert on queuectl.moved deferrable initially deferred
          for each row execute function public.refuse();
        end if;
      end $$;
      create event trigger refuse_mark on ddl_command_end when tag in ('CREATE TABLE') execute function public.refuse_mark();
    `);
    const home = join(queue.folder, "back");
    const here = { env: { QUEUECTL_HOME: home } };
    expect((await queue.with(there, "migrate", "--to", home)).status).toBe(1);
    await queue.with(there, "enqueue", "--id", "c", "echo c");
    expect(JSON.parse((await queue.with(here, "list", "--json")).stdout)).toEqual([]);
    await sql`drop event trigger refuse_mark`;
    await queue.with(there, "migrate", "--to", home);
    expect(JSON.parse((await queue.with(here, "status", "--json")).stdout).total).toBe(3);
    expect((await queue.with(here, "logs", "a")).stdout).toBe("a\n");
  });

  test("is where it was when the move is killed", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await fillMany(queue.home, 20_000);
    await using watcher = await openPostgres({ url: database.url });
    const moving = queue.start("migrate", "--to", database.url);
    await waitUntil("it copies", () => isCopying(database.url));
    moving.kill("SIGKILL");
    await moving.exited;
    await queue.ok("enqueue", "true");
    await waitUntil("the server has noticed", async () => !(await isCopying(database.url)));
    expect((await watcher.stats.read()).total).toBe(0);
  });

  test("takes along every column that either database has", async () => {
    await using queue = queuectl();
    await using database = await newDatabase();
    await using _here = await openSqlite({ path: databasePath(queue.folder) });
    await using _there = await openPostgres({ url: database.url });
    await using sql = new SQL(database.url, { max: 1 });
    using db = new Database(databasePath(queue.folder), { readonly: true });
    const moved = Object.fromEntries(movedTables.map(({ name, columns }) => [name, columns.toSorted()]));
    const here = db
      .query<{ table: string; column: string }, []>(
        `select tables.name as "table", columns.name as "column"
        from sqlite_schema as tables, pragma_table_info(tables.name) as columns
        where tables.type = 'table' and tables.name not like 'sqlite%'`,
      )
      .all();
    expect(columnsOf(here)).toEqual(moved);
    const there = await sql`
      select table_name as table, column_name as column from information_schema.columns
      join information_schema.tables using (table_schema, table_name)
      where table_schema = 'queuectl' and table_type = 'BASE TABLE'
    `;
    expect(columnsOf(there)).toEqual(moved);
  });
});

describe("where a queue may move to", () => {
  test.each([
    [[], "say where to"],
    [["--to", "postgres://nowhere", "--undo"], "exclude each other"],
    [["--to", "mysql://x/y"], "--to cannot be mysql://x/y"],
  ])("migrate %p is refused", async (words, said) => {
    await using queue = queuectl();
    expect(await queue("migrate", ...words)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(said),
    });
  });

  test("not from SQLite to SQLite, and a queue that is not there goes nowhere", async () => {
    await using queue = queuectl();
    expect(await queue("migrate", "--to", "elsewhere")).toMatchObject({ status: 2 });
    expect(await queue("migrate", "--to", "postgres://127.0.0.1:1/x")).toMatchObject({
      status: 1,
      stderr: `queuectl: there is no database ${databasePath(queue.home)} (check QUEUECTL_HOME)\n`,
    });
    expect(existsSync(queue.home)).toBe(false);
  });
});

/** What does not move, or in another way. */
const staying: ReadonlySet<string> = new Set([
  "worker_processes",
  "workers",
  "meta",
  "staged",
  "output",
  "removed_output",
  "count_changes",
  "run_changes",
]);

function columnsOf(rows: readonly { readonly table: string; readonly column: string }[]) {
  const tables = Map.groupBy(
    rows.filter(({ table }) => !staying.has(table)),
    ({ table }) => table,
  );
  return Object.fromEntries(
    Array.from(tables, ([name, own]) => [name, own.map(({ column }) => column).toSorted()]),
  );
}

async function isCopying(url: string): Promise<boolean> {
  await using sql = new SQL(url, { max: 1 });
  const [{ n }] = await sql`
    select count(*)::integer as n from pg_stat_activity
    where datname = current_database() and backend_xid is not null and query like '%insert into queuectl.jobs%'
  `;
  return n > 0;
}

/** A job in every state that one may have without a worker, and whatever is hard to carry. */
async function fill(queue: Queuectl): Promise<void> {
  await queue.ok("config", "set", "backoff_base", "1.5");
  await queue.ok("config", "set", "capture-env", "LANG");
  await queue.ok(
    "schedule",
    "add",
    "nightly",
    "30 2 * * *",
    "true",
    "--tz",
    "Europe/Berlin",
    "--queue",
    "never",
  );
  await queue.ok("schedule", "add", "paused", "@daily", "true", "--jitter", "1m");
  await queue.ok("schedule", "pause", "paused");
  await queue.ok("schedule", "run", "nightly");
  const receiver = "http://127.0.0.1:9/path";
  await queue.ok("alert", "add", "ops", "--on", "dead", "--on", "completed", "--webhook", receiver);
  await queue.ok("alert", "add", "late", "--on", "backlog", "--more-than", "0", "--email", "me@example.org");
  const odd = `printf '%s\\n' "tab\there" 'Ünïcödé 🎈 "quotes" \\u0000 \\\\' $'a\\nb'`;
  const jobs = [
    { id: "completed", command: odd, tags: ["ü-tag", "a"], env: { ODD: "a\nb\"c\\d'🎈" }, timeout: 0.5 },
    { id: "dead", command: "echo out; exit 3", max_retries: 0, queue: "other", priority: 5 },
    { id: "retried", command: "kill -9 $$", max_retries: 5 },
    { id: "timed-out", command: "sleep 60", max_retries: 0, timeout: 0.05 },
    { id: "nowhere", command: "true", cwd: "/nowhere at all", max_retries: 0 },
    { id: "cancelled", command: "true", queue: "late", run_at: "2100-01-01T00:00:00.123Z" },
    { id: "scheduled", command: "true", queue: "late", run_at: "2100-01-01T00:00:00.123Z", tags: ["a"] },
    { id: "waiting", command: "true", queue: "never", priority: 3 },
    { id: "deleted", command: "true" },
    { id: "requeued", command: "exit 1", max_retries: 0 },
  ];
  await queue.with({ stdin: jobs.map((job) => JSON.stringify(job)).join("\n") }, "enqueue", "--file", "-");
  await queue.ok("cancel", "cancelled");
  const worker = queue.start("worker", "--queue", "default", "--queue", "other", "--count", "3");
  const isSettled = async () => {
    const { state, attempts } = await queue.json("show", "retried");
    const { processing, dead } = await queue.json("status");
    return state === "failed" && attempts >= 2 && processing === 0 && dead === 4;
  };
  await waitUntil("all have run", isSettled);
  worker.kill("SIGTERM");
  await worker.exited;
  await queue.ok("dlq", "retry", "requeued");
  await queue.ok("delete", "deleted");
}

async function fillMany(home: string, jobs: number): Promise<void> {
  mkdirSync(home, { recursive: true });
  await using store = await openSqlite({ path: databasePath(home) });
  await store.jobs.enqueueAll(
    (async function* () {
      for (let n = 0; n < jobs; n++) yield newJob({ command: `echo ${n}` });
    })(),
  );
}

/** All that a user can see of a queue, and what only the database knows. */
async function everythingOf(queue: Queuectl, options: { env?: Record<string, string> } = {}) {
  const json = async (...words: string[]) =>
    JSON.parse((await queue.with(options, ...words, "--json")).stdout || "null");
  const jobs = await json("list", "--limit", "0");
  const shown = [];
  for (const { id } of jobs) {
    const { attempts_history, ...job } = await json("show", id);
    // The log's path is the home folder's.
    shown.push({
      ...job,
      attempts: attempts_history.map(({ log: _log, ...attempt }: { log: string }) => attempt),
    });
  }
  const tagged = await json("list", "--tag", "a", "--limit", "0");
  const other = await json("list", "--queue", "other", "--state", "dead");
  return {
    jobs,
    shown,
    tagged,
    other,
    status: await json("status"),
    dead: await json("dlq", "list"),
    kept: await keptOf(queue, options),
  };
}

/** Settings, charts and counts by queue, which no command prints whole. */
async function keptOf({ home }: Queuectl, { env = {} }: { env?: Record<string, string> }) {
  await using store =
    env.QUEUECTL_DATABASE_URL === undefined
      ? await openSqlite({ path: databasePath(env.QUEUECTL_HOME ?? home) })
      : await openPostgres({ url: env.QUEUECTL_DATABASE_URL });
  const { buckets } = await store.stats.throughput("month");
  return {
    settings: await store.settings.all(),
    schedules: await store.schedules.list(),
    alerts: await store.alerts.list(),
    deliveries: [
      ...(await store.alerts.deliveries("ops", 50)),
      ...(await store.alerts.deliveries("late", 50)),
    ],
    queues: await store.stats.queues(),
    runs: buckets.filter(({ completed, failed }) => completed + failed > 0),
    longest: await store.stats.durationUnder(1),
  };
}
