// Promise 10: cost does not grow with history. What a claim, an enqueue, a settlement and the figures read of the database is
// the same with a thousand jobs and with hundreds of thousands. Counted in bytes read from the file through a new connection,
// because time on a shared machine proves nothing; the bench `flat` measures it.

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { lookForTrouble } from "../../src/worker/standing.ts";
import { queuectl } from "../support/queuectl.ts";
import { sampleAlert } from "../support/sample-alerts.ts";
import { asyncly, claim, exitWith, newJob, register, settle } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const few = 1_000;
const many = 200_000;

/** `paused`: in a queue that is; `parked`: of one key, under which somebody runs. */
const kinds = ["completed", "pending", "scheduled", "paused", "parked"] as const;

/** Fills a queue with jobs of one kind, each as its own life would have left it. */
function fill(path: string, kind: (typeof kinds)[number], count: number): void {
  using db = new Database(path);
  const waits = {
    completed: "null",
    pending: "1000",
    scheduled: "9000000000000",
    paused: "1000",
    parked: "null",
  };
  const isReady = kind === "pending" || kind === "paused";
  db.run(`
    insert into jobs (
      id, command, state, ready, attempts, attempt_number, max_retries, priority, timeout, queue, tags, cwd, env,
      key, parked, run_at, next_run_at, created_at, updated_at, started_at, finished_at, last_exit_code, last_duration
    )
    with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ${count})
    select
      'old' || n, 'true', '${kind === "completed" ? "completed" : "pending"}', ${isReady ? 1 : 0}, 1, 1, 3, 1, 0,
      '${kind === "paused" ? "paused" : "default"}', '[]', '/', '{}',
      ${kind === "parked" ? "'k', 1" : "null, 0"}, 1000, ${waits[kind]}, 1000, 1000, 1000,
      ${kind === "completed" ? "1000 + n" : "null"}, 0, 0.5
    from numbers;
    insert into queues (queue, paused_at) values ('paused', 1000);
    insert into counts (queue, state, jobs, ms)
    select queue, state, count(*), 500 * count(*) from jobs group by queue, state;
  `);
  db.run("pragma wal_checkpoint(truncate)");
}

/** Bytes that this process has read from files so far (Linux). */
const bytesRead = () => Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))![1]);

/** What each operation reads through a connection that has read nothing before. */
async function reading(path: string): Promise<Record<string, number>> {
  const read: Record<string, number> = {};
  const measure = async <T>(name: string, operation: (store: Store) => Promise<T>): Promise<T> => {
    await using store = await openSqlite({ path });
    const before = bytesRead();
    const result = await operation(store);
    read[name] = bytesRead() - before;
    return result;
  };
  await using keeper = await openSqlite({ path });
  await register(keeper, "worker-a");

  const job = await measure("enqueue", (store) =>
    store.jobs.enqueue(newJob({ id: "new", priority: 5, key: "k" })),
  );
  const [claimed] = await measure("claim", (store) => claim(store));
  expect(claimed?.job.id).toBe("new");
  expect(claimed?.job.key).toBe("k");
  await measure("settle", (store) => settle(store, claimed!.lease, exitWith(0)));
  await measure("figures", (store) => store.stats.read());
  await measure("outstanding", (store) => store.stats.outstanding(null));
  await measure("list", (store) => store.jobs.list({}, { limit: 50 }));
  await measure("list of a state", (store) => store.jobs.list({ state: "pending" }, { limit: 50 }));
  await measure("find", (store) => store.jobs.find(job.id));
  await measure("attempts", (store) => store.jobs.attempts(job.seq));
  await measure("prune", (store) => store.jobs.prune(1, 100));
  const alert = await keeper.alerts.add(sampleAlert({ events: ["backlog"], more_than: 100 }));
  await lookForTrouble(keeper, [alert]);
  await measure("look for a backlog that was told of", (store) => lookForTrouble(store, [alert]));
  return read;
}

async function readingOf(
  ...[kind, count]: [Parameters<typeof fill>[1], number]
): Promise<Record<string, number>> {
  using folder = tempFolder();
  const path = join(folder.path, "queue.db");
  await (await openSqlite({ path }))[Symbol.asyncDispose]();
  fill(path, kind, count);
  return await reading(path);
}

test.each(kinds)("what is read does not depend on how many %s jobs there are", async (kind) => {
  const [small, large] = [await readingOf(kind, few), await readingOf(kind, many)];
  // A tree of two hundred times as many rows is a level or two higher: a few pages of 4 KiB for each index that is used.
  for (const [name, bytes] of Object.entries(large)) {
    expect({
      name,
      grew: bytes > small[name]! + 30 * 4096 ? { from: small[name], to: bytes } : false,
    }).toEqual({
      name,
      grew: false,
    });
  }
});

test("what is read does not depend on how many queues there were", async () => {
  const readingAfter = async (queues: number) => {
    using folder = tempFolder();
    const path = join(folder.path, "queue.db");
    {
      await using store = await openSqlite({ path });
      await store.jobs.enqueueAll(
        asyncly(Array.from({ length: queues }, (_, n) => newJob({ queue: `bygone-${n}` }))),
      );
      const { jobs } = await store.jobs.list({}, { limit: 0 });
      await store.jobs.cancel(jobs.map(({ seq }) => seq));
      await store.jobs.prune((await store.now()) + 1000, queues);
      expect((await store.stats.read()).total).toBe(0);
    }
    return await reading(path);
  };
  const [small, large] = [await readingAfter(100), await readingAfter(10_000)];
  for (const [name, bytes] of Object.entries(large))
    expect({ name, bytes }).toEqual({ name, bytes: Math.min(bytes, small[name]! + 30 * 4096) });
});

test("a list of a state reads of many queues little more than the jobs that it shows", async () => {
  using folder = tempFolder();
  const path = join(folder.path, "queue.db");
  const queues = 500;
  {
    await using store = await openSqlite({ path });
    const jobs = Array.from({ length: 60 * queues }, (_, n) => newJob({ queue: `queue-${n % queues}` }));
    await store.jobs.enqueueAll(asyncly(jobs));
  }
  await using store = await openSqlite({ path });
  const before = bytesRead();
  await store.jobs.list({ state: "pending" }, { limit: 50 });
  await store.matching.page({ state: "pending" }, { limit: 50, scan: 50 });
  // Where the newest of each queue stand takes a page of 4 KiB or less; the newest 50 of each were nearly all jobs there are.
  expect(bytesRead() - before).toBeLessThan(queues * 4096);
});

test("lifetime totals do not fall when jobs are removed", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "max_retries", "0");
  await q.ok("enqueue", "true", "--id", "good");
  await q.ok("enqueue", "false", "--id", "bad");
  await q.ok("worker", "--until-empty");
  await q.ok("delete", "good", "bad");
  expect(await q.json("status")).toMatchObject({ total: 0, success_runs: 1, failed_runs: 1 });
});
