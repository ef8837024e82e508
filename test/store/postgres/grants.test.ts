// What docs/postgres.md says to grant is enough to work, and no more is needed.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SQL } from "bun";
import { noPostgres, postgresServer } from "../../support/postgres-server.ts";
import { queuectl } from "../../support/queuectl.ts";
import { waitUntil } from "../../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const document = readFileSync(join(resolve(import.meta.dir, "../../.."), "docs/postgres.md"), "utf8");
const grants = /```sql\n(grant usage .*?)```/s.exec(document)![1]!;

const unique = `${process.pid}_${Date.now().toString(36)}`;

test.skipIf(noPostgres !== undefined)(
  "a role with the documented grants enqueues, works and serves, and cannot change the tables",
  async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using admin = new SQL(database.url, { max: 1 });
    const owner = `owner_${unique}`;
    const worker = `worker_${unique}`;
    const urlOf = (role: string) =>
      Object.assign(new URL(database.url), { username: role, password: "" }).href;
    await admin.unsafe(`create role ${owner} login; create role ${worker} login`);
    try {
      await admin.unsafe(`grant create on database ${database.name} to ${owner}`);
      await using q = queuectl({ QUEUECTL_DATABASE_URL: urlOf(worker) });
      const early = await q("enqueue", "true");
      expect(early.status).toBe(1);
      expect(early.stderr).toMatch(/^queuectl: PostgreSQL .*permission denied.*\n$/);

      await q.with({ env: { QUEUECTL_DATABASE_URL: urlOf(owner) } }, "status");
      {
        await using sql = new SQL(urlOf(owner), { max: 1 });
        await sql.unsafe(
          grants.replaceAll("to worker", `to ${worker}`).replaceAll("from worker", `from ${worker}`),
        );
      }
      await q.ok("config", "set", "backoff_base", "0");
      await q.ok("enqueue", "--id", "a", "--tag", "x", "echo hello");
      await q.ok("enqueue", "--id", "fails", "--max-retries", "1", "exit 1");
      const many = Array.from({ length: 3 }, (_, n) => `{"command": "true", "id": "m${n}"}`).join("\n");
      expect((await q.with({ stdin: many }, "enqueue", "--file", "-")).status).toBe(0);
      await q.ok("worker", "--count", "2", "--until-empty");
      expect(await q.json("status")).toMatchObject({ completed: 4, dead: 1 });
      expect(await q.ok("logs", "a")).toBe("hello");
      await q.ok("dlq", "retry", "fails");
      await q.ok("cancel", "fails");
      await q.ok("delete", "fails");
      expect((await q.json("doctor")).healthy).toBe(true);

      const web = q.start("web", "--port", "0");
      await waitUntil("it listens", () => web.stdout().includes("\n"));
      const stats = await fetch(`${web.stdout().trim()}api/v1/stats`);
      expect(await stats.json()).toMatchObject({ completed: 4 });

      await using sql = new SQL(urlOf(worker), { max: 1 });
      const refused = async (statement: string) =>
        (await sql.unsafe(statement).catch((error) => error)).errno;
      expect(await refused("update queuectl.meta set version = 9")).toBe("42501");
      expect(await refused("drop table queuectl.jobs")).toBe("42501");
      expect(await refused("create table queuectl.mine (n integer)")).toBe("42501");
    } finally {
      for (const role of [worker, owner]) await admin.unsafe(`drop owned by ${role} cascade`);
      await admin.unsafe(`drop role ${owner}, ${worker}`);
    }
  },
);
