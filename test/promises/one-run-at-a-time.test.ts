// Promise 2: one run at a time. However many workers claim at once, a job never has two live attempts, and a worker that lost
// its right to a job cannot write a result.

import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ownIdentity } from "../../src/runner/process-identity.ts";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import { overlaps, readLedger } from "../support/ledger.ts";
import { queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const ledgerProgram = resolve(import.meta.dir, "../programs/ledger.sh");

test("many workers in many processes run each of many jobs exactly once", async () => {
  await using q = queuectl();
  const ledger = join(q.folder, "ledger");
  const jobs = Array.from({ length: 200 }, (_, n) =>
    JSON.stringify({ id: `j${n}`, command: `'${ledgerProgram}' '${ledger}' 0` }),
  );
  await q.with({ stdin: jobs.join("\n") }, "enqueue", "--file", "-");
  const workers = Array.from({ length: 4 }, () => q.start("worker", "--count", "4", "--until-empty"));
  for (const worker of workers) expect(await worker.exited).toBe(0);

  const lines = readLedger(ledger);
  expect(
    lines
      .filter(({ what }) => what === "begin")
      .map(({ id }) => id)
      .sort(),
  ).toEqual(jobs.map((job) => JSON.parse(job).id).sort());
  expect(overlaps(lines, () => false)).toEqual([]);
  expect((await q.json("status")).completed).toBe(200);
});

test("a job that fails is never retried beside its last run", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "backoff_base", "0");
  const ledger = join(q.folder, "ledger");
  for (let n = 0; n < 10; n++) {
    await q.ok("enqueue", "--id", `j${n}`, "--max-retries", "3", "--", ledgerProgram, ledger, "0.05", "1");
  }
  const workers = Array.from({ length: 3 }, () => q.start("worker", "--count", "4", "--until-empty"));
  for (const worker of workers) expect(await worker.exited).toBe(0);
  const lines = readLedger(ledger);
  expect(lines.filter(({ what }) => what === "begin")).toHaveLength(40);
  expect(overlaps(lines, () => false)).toEqual([]);
});

test("a worker whose job was taken from it cannot write a result, and says so", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  await q.ok(
    "enqueue",
    `until [ -e '${go}' ]; do sleep 0.02; done; exit 9`,
    "--id",
    "a",
    "--max-retries",
    "0",
  );
  const worker = q.start("worker");
  await worker.says("executing a");

  // What a take-over does, by somebody who took the living worker for dead.
  await using store = await openSqlite({ path: join(q.home, "queue.db") });
  const [process] = await store.workers.processes();
  const other = await store.workers.register({
    identity: { ...process!.identity, pid: 1 },
    home: "/home",
    version: "test",
    queues: null,
    worker_ids: [],
    journal: join(q.home, "none"),
  });
  const [taken] = await store.leases.takeOver(process!.process_id, other);
  writeFileSync(go, "");
  await worker.says("was taken by another worker");
  const job = await store.jobs.find("a");
  expect(job.state).toBe("processing");
  expect((await store.jobs.attempts(job.seq))[0]?.result).toBeNull();
  expect(taken?.lease.lease_seq).toBe(2);
});

test("run and an idle worker that both want the same job run it once", async () => {
  await using q = queuectl();
  const ledger = join(q.folder, "ledger");
  const worker = q.start("worker", "--count", "2");
  await worker.says("waiting");
  const runs = Array.from({ length: 8 }, () => q("run", `'${ledgerProgram}' '${ledger}' 0.05; echo out`));
  for (const run of runs) expect(await run).toMatchObject({ status: 0, stdout: "out\n" });
  const lines = await waitUntil("all runs are in the ledger", () => {
    const all = readLedger(ledger);
    return all.length >= 16 && all;
  });
  expect(lines).toHaveLength(16);
  expect(overlaps(lines, () => false)).toEqual([]);
});

test("one SQLite file used from another host or container is refused, naming PostgreSQL, until that one is forgotten", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true", "--id", "a");
  {
    await using store = await openSqlite({ path: join(q.home, "queue.db") });
    await store.workers.register({
      identity: { ...ownIdentity(), pid_namespace: "pid:[1]" },
      home: "/home",
      version: "test",
      queues: null,
      worker_ids: ["worker-other"],
      journal: join(q.home, "none"),
    });
    await store.leases.exchange({
      started: [],
      ended: [],
      settings: { backoff_base: 2, backoff_max: 1, backoff_jitter: 0, max_lost: 3 },
      wanted: { worker_ids: ["worker-other"], queues: null },
    });
  }
  const refused = await q("worker", "--until-empty");
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("PostgreSQL");
  expect((await q.json("show", "a")).state).toBe("processing");

  expect((await q("worker", "forget", "worker-other")).status).toBe(2);
  await q.ok("worker", "forget", "worker-other", "--yes");
  const { stderr } = await q("worker", "--until-empty");
  expect(stderr).toContain("job a ran by a worker that was forgotten");
  expect((await q.json("show", "a")).state).toBe("completed");
});
