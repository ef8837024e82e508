// One home folder may be that of two queues: its own SQLite file, and one on PostgreSQL. Their jobs have the same numbers.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { journalPath, runFolder } from "../../src/home.ts";
import { openStore } from "../../src/store/open.ts";
import { pruneJournals } from "../../src/worker/pruner.ts";
import { makeGate } from "../support/gate.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

describe.skipIf(noPostgres !== undefined)("two queues of one home", () => {
  test("leave each other's commands alone when a job of the same number runs again", async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using q = queuectl();
    const gate = makeGate(q);
    const here = await q("enqueue", gate.command, "--max-retries", "0");
    const worker = q.start("worker", "--until-empty");
    await gate.reached();
    const there = { env: { QUEUECTL_DATABASE_URL: database.url } };
    await q.with(there, "config", "set", "backoff_base", "0");
    await q.with(there, "enqueue", "false", "--max-retries", "1");
    await q.with(there, "worker", "--until-empty");
    expect(JSON.parse((await q.with(there, "status", "--json")).stdout)).toMatchObject({ dead: 1 });
    gate.open();
    await worker.exited;
    const { stdout } = await q("show", here.stdout.trim(), "--json");
    expect(JSON.parse(stdout)).toMatchObject({ state: "completed" });
  });

  test("leave each other's journals alone", async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using q = queuectl();
    await q("status");
    await using sqlite = await openStore({ home: q.home });
    await using postgres = await openStore({ home: q.home, database: database.url });
    const queue = postgres.output!.queue;
    const journals = [journalPath(q.home, undefined, "worker-a"), journalPath(q.home, queue, "worker-a")];
    mkdirSync(runFolder(q.home), { recursive: true });
    for (const path of journals) {
      writeFileSync(path, "");
      utimesSync(path, 0, 0);
    }
    await pruneJournals(sqlite, q.home);
    expect(journals.map((path) => existsSync(path))).toEqual([false, true]);
    writeFileSync(journals[0]!, "");
    utimesSync(journals[0]!, 0, 0);
    await pruneJournals(postgres, q.home);
    expect(journals.map((path) => existsSync(path))).toEqual([true, false]);
  });
});
