// PgBouncer in transaction mode: every statement may find itself in another connection of the server than the one before.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { noPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(120_000);

async function behindPgBouncer(listen: "direct" | "off") {
  const database = await (await postgresServer()).newDatabase();
  const bouncer = await startPgBouncer(database.url);
  const q = queuectl({
    QUEUECTL_DATABASE_URL: bouncer.url,
    QUEUECTL_LISTEN_URL: listen === "off" ? "off" : database.url,
  });
  // Where nobody listens, looking for jobs is all there is.
  await q.ok("config", "set", "poll_interval", listen === "off" ? "0.1" : "3600");
  return {
    q,
    bouncer,
    async [Symbol.asyncDispose]() {
      await q[Symbol.asyncDispose]();
      await bouncer[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

for (const listen of ["direct", "off"] as const) {
  describe
    .skipIf((noPostgres ?? noPgBouncer) !== undefined)
    .concurrent(
      `behind PgBouncer, ${listen === "off" ? "listening nowhere" : "listening at the server itself"}`,
      () => {
        test("a job is enqueued, run, followed, retried, cancelled while it runs, and deleted", async () => {
          await using there = await behindPgBouncer(listen);
          const { q, bouncer } = there;
          const worker = q.start("worker", "--count", "2");
          await worker.says("waiting for jobs");
          const gate = makeGate(q);
          await q.ok("enqueue", `echo one; ${gate.command}; echo two`, "--id", "job");
          await gate.reached();
          const following = q.start("logs", "job", "--follow");
          gate.open();
          expect(await following.exited).toBe(0);
          expect(following.stdout()).toBe("one\ntwo\n");
          expect((await q("wait", "job")).status).toBe(0);
          await q.ok("retry", "job");
          expect((await q("wait", "job")).status).toBe(0);

          await q.ok("enqueue", "sleep 300", "--id", "long");
          await worker.says("executing long");
          await q.ok("cancel", "long", "--wait");
          expect((await q.json("show", "long")).state).toBe("cancelled");
          await q.ok("delete", "job", "long");
          await q.ok("worker", "stop", "--wait");
          expect(await worker.exited).toBe(0);
          expect(worker.stderr()).not.toMatch(/prepared statement|PostgreSQL/);
          expect(bouncer.complaints()).toEqual([]);
        });

        test("two thousand jobs of one file are stored whole, and several processes drain a queue of them", async () => {
          await using there = await behindPgBouncer(listen);
          const { q, bouncer } = there;
          const path = join(q.folder, "jobs");
          const lines = Array.from({ length: 2000 }, (_, n) =>
            JSON.stringify({ command: "true", queue: n % 10 === 0 ? "now" : "later" }),
          );
          await Bun.write(path, lines.join("\n"));
          expect((await q.ok("enqueue", "--file", path)).split("\n")).toHaveLength(2000);
          const workers = Array.from({ length: 3 }, () =>
            q.start("worker", "--count", "8", "--until-empty", "--quiet", "--queue", "now"),
          );
          for (const worker of workers) {
            expect(await worker.exited).toBe(0);
            expect(worker.stderr()).toBe("");
          }
          expect(await q.json("status")).toMatchObject({ completed: 200, pending: 1800, success_runs: 200 });
          expect(bouncer.complaints()).toEqual([]);
        });
      },
    );
}

describe.skipIf((noPostgres ?? noPgBouncer) !== undefined).concurrent("PgBouncer that nobody told of", () => {
  const ignored = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_keepalives_count",
    "queuectl.direct",
  ];
  for (const [how, ...settings] of [
    ["refuses what it does not know"],
    ["ignores what it does not know", `ignore_startup_parameters = ${ignored.join(",")}`],
  ] as const) {
    test(`is refused when it ${how}, naming what to set`, async () => {
      await using database = await (await postgresServer()).newDatabase();
      await using bouncer = await startPgBouncer(database.url, ...settings);
      await using q = queuectl({ QUEUECTL_DATABASE_URL: bouncer.url });
      const { status, stdout, stderr } = await q("enqueue", "true");
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toMatch(/^queuectl: PostgreSQL \S+ is a pooler.*QUEUECTL_LISTEN_URL.*\n$/);
    });
  }
});

test.skipIf((noPostgres ?? noPgBouncer) !== undefined)(
  "a database that is not there behind PgBouncer is named, and no connection that broke",
  async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using bouncer = await startPgBouncer(database.url);
    const url = Object.assign(new URL(bouncer.url), { pathname: "no_such_database" }).href;
    await using q = queuectl({ QUEUECTL_DATABASE_URL: url, QUEUECTL_LISTEN_URL: "off" });
    const { status, stderr } = await q("enqueue", "true");
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^queuectl: PostgreSQL \S+: [^\n]*"no_such_database"[^\n]* \(make it with createdb[^\n]+\)\n$/,
    );
  },
);
