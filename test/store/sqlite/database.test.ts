// What is true of SQLite alone: its files, its locks, and what it refuses to open.

import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databasePath, ensureFolderOf, jobLogPath } from "../../../src/home.ts";
import { connect } from "../../../src/store/sqlite/connection.ts";
import { jobs } from "../../../src/store/sqlite/jobs.ts";
import { migrate } from "../../../src/store/sqlite/migrate.ts";
import { openSqlite } from "../../../src/store/sqlite/open.ts";
import {
  allJobs,
  asyncly,
  claimTurn,
  newJob,
  refusalOf,
  register,
  runningJob,
} from "../../support/sample-jobs.ts";
import { tempFolder } from "../../support/temp-home.ts";
import { tempSqlite } from "../../support/temp-sqlite.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

describe("the files of a database", () => {
  test("nobody but the owner may read them", async () => {
    await using temp = await tempSqlite();
    await temp.store.jobs.enqueue(newJob());
    const folder = temp.environment.QUEUECTL_HOME!;
    const modes = Object.fromEntries(
      readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
    );
    expect(modes).toEqual({ "queue.db": "600", "queue.db-shm": "600", "queue.db-wal": "600" });
  });

  test("a folder that is not there is said plainly", async () => {
    using folder = tempFolder();
    const refusal = await refusalOf(openSqlite({ path: join(folder.path, "missing", "queue.db") }));
    expect(refusal.kind).toBe("unavailable");
    expect(refusal.message).toContain("missing");
  });
});

describe("a connection", () => {
  test("writes ahead and syncs fully, so that what is acknowledged survives a power cut", async () => {
    using folder = tempFolder();
    for (const _time of ["new", "opened again"]) {
      using db = new Database(databasePath(folder.path), { create: true, strict: true });
      await migrate(connect(databasePath(folder.path), db, Date.now));
      expect(db.query("pragma journal_mode").get()).toEqual({ journal_mode: "wal" });
      expect(db.query("pragma synchronous").get()).toEqual({ synchronous: 2 });
    }
  });

  test("finds what the one before left", async () => {
    using folder = tempFolder();
    const path = databasePath(folder.path);
    const store = await openSqlite({ path });
    const job = await store.jobs.enqueue(newJob());
    await store[Symbol.asyncDispose]();
    await using again = await openSqlite({ path });
    expect(await allJobs(again)).toEqual([job]);
  });

  test("leaves no rows behind of jobs that were gathered or deleted", async () => {
    using folder = tempFolder();
    using db = new Database(databasePath(folder.path), { create: true, strict: true });
    const connection = connect(databasePath(folder.path), db, Date.now);
    await migrate(connection);
    const { enqueueAll, list, delete: remove } = jobs(connection);
    await enqueueAll(asyncly([newJob({ tags: ["x", "y"] }), newJob({ tags: ["x"] })]));
    const rows = (table: string) => db.query(`select count(*) as rows from ${table}`).get();
    expect(rows("temp.staged")).toEqual({ rows: 0 });
    expect(rows("job_tags")).toEqual({ rows: 3 });
    await remove((await list({}, { limit: 0 })).jobs.map(({ seq }) => seq));
    expect(rows("job_tags")).toEqual({ rows: 0 });
  });

  test("says that the database is locked when another program holds it for longer than it has patience", async () => {
    await using temp = await tempSqlite();
    const path = databasePath(temp.environment.QUEUECTL_HOME!);
    await using hasty = await openSqlite({ path, patienceMs: 1 });
    using other = new Database(path);
    other.run("begin immediate");
    for (const change of [
      () => hasty.jobs.enqueue(newJob()),
      () => hasty.jobs.enqueueAll(asyncly([newJob()])),
      () => hasty.settings.set("priority", "2"),
      () => register(hasty, "worker-a"),
    ]) {
      const refusal = await refusalOf(change());
      expect(refusal.kind).toBe("unavailable");
      expect(refusal.message).toContain("locked");
    }
    expect(await allJobs(hasty)).toEqual([]);
    other.run("commit");
    await hasty.jobs.enqueue(newJob());
    expect((await allJobs(temp.store)).length).toBe(1);
  });

  test("waits while another process makes the database", async () => {
    using folder = tempFolder();
    const path = databasePath(folder.path);
    using other = new Database(path, { create: true });
    other.run("begin exclusive");
    const opened = openSqlite({ path });
    expect(await Promise.race([opened, Bun.sleep(1).then(() => "waiting")])).toBe("waiting");
    other.run("rollback");
    await using store = await opened;
    expect((await store.jobs.enqueue(newJob())).state).toBe("pending");
  });

  test("asks for no lock when it claims in vain", async () => {
    await using temp = await tempSqlite();
    const { store, clock } = temp;
    await register(store, "worker-a");
    await store.jobs.enqueue(newJob({ run_at: clock.now + 1000 }));
    await store.jobs.enqueue(newJob({ queue: "paused" }));
    await store.queues.pause(["paused"]);
    await using hasty = await openSqlite({
      path: databasePath(temp.environment.QUEUECTL_HOME!),
      clock: () => clock.now,
      patienceMs: 1,
    });
    using other = new Database(databasePath(temp.environment.QUEUECTL_HOME!));
    other.run("begin immediate");
    expect(await claimTurn(hasty)).toMatchObject({ claimed: [], next_due_at: clock.now + 1000 });
    other.run("rollback");
    clock.now += 1000;
    expect(await claimTurn(hasty)).toMatchObject({ claimed: [{ worker_id: "worker-a" }] });
  });

  test("forgets what a queue's rate counts no more", async () => {
    await using temp = await tempSqlite();
    const { store, clock } = temp;
    using db = new Database(databasePath(temp.environment.QUEUECTL_HOME!));
    await store.queues.limit("default", { rate: { starts: 1, per: 1 } });
    for (let n = 0; n < 5; n++) {
      await runningJob(store);
      clock.now += 2000;
    }
    expect(db.query("select count(*) as rows from queue_starts").get()).toEqual({ rows: 1 });
  });

  test("waits for a lock that another program gives back in time", async () => {
    await using temp = await tempSqlite();
    using other = new Database(databasePath(temp.environment.QUEUECTL_HOME!));
    other.run("begin immediate");
    const enqueued = temp.store.jobs.enqueue(newJob());
    expect(await Promise.race([enqueued, Bun.sleep(1).then(() => "waiting")])).toBe("waiting");
    other.run("commit");
    expect((await enqueued).state).toBe("pending");
  });
});

describe("a database that this program must not use", () => {
  const refused = async (path: string) => {
    const before = readFileSync(path);
    const refusal = await refusalOf(openSqlite({ path }));
    expect(readFileSync(path).equals(before)).toBeTrue();
    expect(refusal.kind).toBe("unusable");
    expect(refusal.message).toContain(path);
    return refusal;
  };

  test("a newer one is refused and left as it is", async () => {
    using folder = tempFolder();
    const path = databasePath(folder.path);
    await (await openSqlite({ path }))[Symbol.asyncDispose]();
    change(path, "pragma user_version = 99");
    expect((await refused(path)).message).toContain("schema 99");
  });

  test("a text file is refused and left as it is", async () => {
    using folder = tempFolder();
    const path = databasePath(folder.path);
    writeFileSync(path, "a list of things to do\n".repeat(100));
    await refused(path);
    expect(readdirSync(folder.path)).toEqual(["queue.db"]);
  });

  for (const mode of ["delete", "wal"]) {
    test(`a database of another program, in journal mode ${mode}, is refused and left as it is`, async () => {
      using folder = tempFolder();
      const path = databasePath(folder.path);
      change(path, `pragma journal_mode = ${mode}; create table jobs (id); insert into jobs values (1)`);
      await refused(path);
      expect(readdirSync(folder.path)).toEqual(["queue.db"]);
      using db = new Database(path);
      expect(db.query("pragma journal_mode").get()).toEqual({ journal_mode: mode });
    });
  }

  test("a damaged one is said to be", async () => {
    using folder = tempFolder();
    const path = databasePath(folder.path);
    const store = await openSqlite({ path });
    await store.jobs.enqueueAll(asyncly(Array.from({ length: 200 }, () => newJob())));
    await store[Symbol.asyncDispose]();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xff, 4096));
    const refusal = await refusalOf(openSqlite({ path }).then(allJobs));
    expect(refusal.kind).toBe("unusable");
    expect(refusal.message).toContain("damaged");
  });

  test("an empty file is no such thing: it becomes a queue", async () => {
    using folder = tempFolder();
    const path = databasePath(folder.path);
    writeFileSync(path, "");
    await using store = await openSqlite({ path });
    expect((await store.jobs.enqueue(newJob())).state).toBe("pending");
  });

  test("beside the logs of jobs, an empty or a missing file is a queue that was lost, and no new one", async () => {
    using folder = tempFolder();
    const path = databasePath(folder.path);
    const log = jobLogPath(folder.path, 1, 1);
    ensureFolderOf(log);
    writeFileSync(log, "printed\n");
    const refusal = await refusalOf(openSqlite({ path }));
    expect(refusal).toMatchObject({ kind: "unusable", advice: expect.stringContaining("restore a backup") });
    expect((await refusalOf(openSqlite({ path }))).message).toBe(refusal.message);
    rmSync(log);
    await using store = await openSqlite({ path });
    expect(await store.stats.read()).toMatchObject({ total: 0 });
  });
});

function change(path: string, sql: string): void {
  using db = new Database(path, { create: true });
  db.run(sql);
}
