// What is true of SQLite alone: its files, its locks, what it refuses to open, and how it looks for rows.

import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { databasePath } from "../../src/home.ts";
import { connect } from "../../src/store/sqlite/connection.ts";
import { jobs } from "../../src/store/sqlite/jobs.ts";
import { leases } from "../../src/store/sqlite/leases.ts";
import { migrate } from "../../src/store/sqlite/migrate.ts";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import { stats } from "../../src/store/sqlite/stats.ts";
import { workers } from "../../src/store/sqlite/workers.ts";
import type { Store } from "../../src/store/store.ts";
import {
  allJobs,
  asyncly,
  claim,
  exitWith,
  newJob,
  refusalOf,
  register,
  settings,
} from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";
import { tempSqlite } from "../support/temp-store.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(60_000);

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
});

describe("how rows are found, whatever their number", () => {
  test("all that a worker does looks at jobs by index, and claims by the indexes made for it", async () => {
    using recorded = await recording();
    const { store, clock } = recorded;
    const worker_ids = ["worker-a", "worker-b"];
    const process_id = await register(store, ...worker_ids);
    await store.jobs.enqueue(newJob({ run_at: clock.now + 1000 }));
    const { seq } = await store.jobs.enqueue(newJob());
    for (const queues of [null, ["default"]]) {
      await claim(store, { worker_ids, queues });
      clock.now += 1000;
    }
    await claim(store, { worker_ids, only: seq });
    const taken = await store.leases.takeOver(process_id, process_id + 1);
    const started = taken.map(({ lease }) => ({ lease, pid: 1, pid_start: "" }));
    const ended = taken.map(({ lease }) => ({ lease, ending: exitWith(1) }));
    await store.leases.exchange({ started, ended, settings, wanted: { worker_ids, queues: null } });
    await store.leases.orders(process_id);
    await store.workers.leave(worker_ids);
    await store.stats.outstanding(null);
    const plans = recorded.plans();
    expect(plans).toContain("COVERING INDEX jobs_ready (queue=?)");
    expect(plans).toContain("COVERING INDEX jobs_waiting (queue=? AND next_run_at>? AND next_run_at<?)");
    expectNoWalks(plans);
    const promotion = recorded.texts().filter((text) => text.includes("set ready = 1"));
    expect(promotion.length).toBe(1);
    expect(recorded.planOf(promotion[0]!)).not.toContain("ORDER BY");
  });

  test("all that users do looks at jobs by index", async () => {
    using recorded = await recording();
    const { store } = recorded;
    const { id, seq } = await store.jobs.enqueue(newJob({ tags: ["x"] }));
    await store.jobs.find(id);
    await store.jobs.find(id.slice(0, 5));
    for (const filter of [{}, { state: "pending" as const }, { queue: "default" }, { tag: "x" }]) {
      await store.jobs.list(filter, { limit: 50 });
      await store.jobs.list(filter, { limit: 50, before: seq });
    }
    await store.jobs.attempts(seq);
    await store.jobs.cancel([seq]);
    await store.jobs.retry([seq]);
    await store.jobs.delete([seq]);
    await store.jobs.retryDead(10);
    await store.jobs.deleteDead(10);
    await store.jobs.prune(0, 10);
    await store.stats.read();
    const plans = recorded.plans();
    expect(plans).toContain("COVERING INDEX jobs_by_state (queue=? AND state=? AND seq<?)");
    expect(plans).toContain("INDEX jobs_finished (finished_at<?)");
    expectNoWalks(plans);
  });
});

/** What grows with the history is never read from end to end, nor sorted but in parts that a limit has already cut. */
function expectNoWalks(plans: string): void {
  const walks = plans.split("\n\n").filter((plan) => /SCAN (jobs|attempts|job_tags)\b/.test(plan));
  expect(walks).toEqual([]);
  for (const plan of plans.split("\n\n")) {
    if (!plan.includes("USE TEMP B-TREE FOR ORDER BY")) continue;
    expect(plan).toMatch(/jobs\.seq in \( select seq from jobs where [^()]* limit \$limit \)/);
    expect(plan).not.toMatch(/^ +USE TEMP B-TREE/m);
  }
}

/** A store that remembers what it asked SQLite, and another connection to ask how SQLite would find it. */
async function recording() {
  const folder = tempFolder();
  const path = databasePath(folder.path);
  const clock = { now: Date.UTC(2026, 0, 1) };
  const db = new Database(path, { create: true, strict: true });
  const connection = connect(path, db, () => clock.now);
  await migrate(connection);
  const texts = new Set<string>();
  const recorder = {
    ...connection,
    sql(text: string) {
      texts.add(text);
      return connection.sql(text);
    },
  };
  const store = {
    jobs: jobs(recorder),
    leases: leases(recorder),
    workers: workers(recorder),
    stats: stats(recorder),
  } as Store;
  const other = new Database(path, { readonly: true });
  const planOf = (text: string) => {
    const rows = other
      .query<{ id: number; parent: number; detail: string }, []>(`explain query plan ${text}`)
      .all();
    const depth = (id: number): number => {
      const row = rows.find((row) => row.id === id);
      return row ? depth(row.parent) + 1 : 0;
    };
    return rows.map(({ parent, detail }) => "  ".repeat(depth(parent)) + detail).join("\n");
  };
  return {
    store,
    clock,
    texts: () => [...texts],
    planOf,
    /** Each statement on a line, and its plan under it. */
    plans: () =>
      [...texts]
        .filter((text) => !/^\s*insert/.test(text))
        .map((text) => `${text.trim().replace(/\s+/g, " ")}\n${planOf(text)}`)
        .join("\n\n"),
    [Symbol.dispose]() {
      other.close();
      connection.close();
      folder[Symbol.dispose]();
    },
  };
}

function change(path: string, sql: string): void {
  using db = new Database(path, { create: true });
  db.run(sql);
}
