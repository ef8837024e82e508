// Idle workers on PostgreSQL hear of work by notifications, which are few, and only a hint.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { SQL } from "bun";
import { makeGate } from "../support/gate.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(120_000);

/** A queue whose workers look for jobs unasked once an hour. */
async function rarelyPolled() {
  const database = await (await postgresServer()).newDatabase();
  const q = queuectl({ QUEUECTL_DATABASE_URL: database.url });
  await q.ok("config", "set", "poll_interval", "3600");
  return {
    q,
    database,
    async idleWorker(...words: string[]) {
      const worker = q.start("worker", ...words);
      await worker.says("waiting for jobs");
      return worker;
    },
    async [Symbol.asyncDispose]() {
      await q[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Ends the sessions that listen, and says how many there were. */
async function endListeners(url: string): Promise<number> {
  await using sql = new SQL(url, { max: 1 });
  const ended = await sql`
    select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen %'
  `;
  return ended.length;
}

describe.skipIf(noPostgres !== undefined).concurrent("an idle worker", () => {
  test("starts what another process enqueued at once, however rarely it polls", async () => {
    await using queue = await rarelyPolled();
    const worker = await queue.idleWorker();
    await worker.says(`job ${await queue.q.ok("enqueue", "true")} completed`);
    await worker.says(`job ${await queue.q.ok("enqueue", "true", "--delay", "0.5")} completed`);
  });

  test("starts a job that another worker gave back", async () => {
    await using queue = await rarelyPolled();
    const { q } = queue;
    const gate = makeGate(q);
    const first = await queue.idleWorker();
    await q.ok("enqueue", gate.command, "--id", "job");
    await gate.reached();
    const second = await queue.idleWorker();
    const [{ id }] = await q.json("worker", "list");
    await q.ok("worker", "stop", "--id", id, "--force");
    await first.exited;
    await second.says("executing job");
    gate.open();
    await second.says("job job completed");
  });

  test("runs the retry of a job whose worker has gone meanwhile", async () => {
    await using queue = await rarelyPolled();
    const { q } = queue;
    await q.ok("config", "set", "backoff_base", "1");
    const gate = makeGate(q);
    const first = await queue.idleWorker();
    await q.ok("enqueue", `${gate.command}; exit "$((QUEUECTL_ATTEMPT == 1))"`, "--id", "job");
    await gate.reached();
    const second = await queue.idleWorker();
    const [{ id }] = await q.json("worker", "list");
    await q.ok("worker", "stop", "--id", id);
    gate.open();
    expect(await first.exited).toBe(0);
    await second.says("job job completed");
  });

  test("whose notifications were lost looks again as soon as it hears again", async () => {
    await using queue = await rarelyPolled();
    const worker = await queue.idleWorker();
    await waitUntil("it listened", async () => (await endListeners(queue.database.url)) === 1);
    const ids = [await queue.q.ok("enqueue", "true"), await queue.q.ok("enqueue", "true")];
    for (const id of ids) await worker.says(`job ${id} completed`);
    await worker.says(`job ${await queue.q.ok("enqueue", "true")} completed`);
  });

  test("that hears nothing finds jobs by polling", async () => {
    await using queue = await rarelyPolled();
    const { q, database } = queue;
    await q.ok("config", "set", "poll_interval", "0.2");
    await using deaf = queuectl({ QUEUECTL_DATABASE_URL: database.url, QUEUECTL_LISTEN_URL: "off" });
    const worker = deaf.start("worker");
    await worker.says("waiting for jobs");
    expect(await endListeners(database.url)).toBe(0);
    await worker.says(`job ${await q.ok("enqueue", "true")} completed`);
  });

  test("that hears nothing and is never idle sees orders all the same", async () => {
    await using queue = await rarelyPolled();
    const { q, database } = queue;
    await q.ok("config", "set", "poll_interval", "1");
    await using deaf = queuectl({ QUEUECTL_DATABASE_URL: database.url, QUEUECTL_LISTEN_URL: "off" });
    await q.ok("enqueue", "sleep 1000", "--id", "long");
    await q.with({ stdin: '{"command":"sleep 0.2"}\n'.repeat(2000) }, "enqueue", "--file", "-");
    const worker = deaf.start("worker", "--count", "2");
    await worker.says("executing long");
    await waitUntil("short jobs follow each other", async () => (await q.json("status")).completed >= 2);
    await q.ok("cancel", "long");
    await worker.says("job long was cancelled");
  });
});

test.skipIf(noPostgres !== undefined)(
  "draining jobs takes far fewer notifications than there are jobs",
  async () => {
    await using queue = await rarelyPolled();
    const { q, database } = queue;
    const count = 1000;
    const path = join(q.folder, "jobs");
    await Bun.write(path, '{"command":"true"}\n'.repeat(count));
    await using listener = new SQL(database.url, { max: 1 });
    const heard = { work: 0, news: 0 };
    await listener.listen("queuectl_work", () => heard.work++);
    await listener.listen("queuectl_news", () => heard.news++);
    await q.ok("enqueue", "--file", path);
    const enqueued = { ...heard };
    const workers = Array.from({ length: 2 }, () =>
      q.start("worker", "--count", "8", "--until-empty", "--quiet"),
    );
    for (const worker of workers) expect(await worker.exited).toBe(0);
    await waitUntil("the last word is heard", () => heard.news > enqueued.news);
    expect((await q.json("status")).completed).toBe(count);
    expect(enqueued.work + enqueued.news).toBeLessThan(10);
    expect(heard.work + heard.news).toBeLessThan(count / 2);
  },
);
