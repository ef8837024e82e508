// A backup is taken while everything runs, opens as a queue, and what it calls running is lost there.

import { expect, setDefaultTimeout, test } from "bun:test";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gapPath } from "../../src/gap.ts";
import { databasePath, jobLogPath } from "../../src/home.ts";
import { makeGate } from "../support/gate.ts";
import { ownSeconds, processesWith } from "../support/processes.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Puts a backup into a home that has never been used. */
function restore(file: string, to: Queuectl): void {
  mkdirSync(to.home, { mode: 0o700 });
  copyFileSync(file, databasePath(to.home));
  if (existsSync(`${file}.logs`)) cpSync(`${file}.logs`, join(to.home, "logs"), { recursive: true });
}

test("a backup holds every job and its output, for the owner's eyes only", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "echo first", "--id", "a");
  await q.ok("worker", "--until-empty");
  await q.ok("enqueue", "true", "--id", "b", "--priority", "4", "--tag", "nightly");
  await q.ok("config", "set", "max_retries", "7");
  const file = join(q.folder, "queue.backup");

  const { status, stdout, stderr } = await q("backup", file, "--with-logs");
  expect([status, stdout]).toEqual([0, ""]);
  expect(stderr).toContain(file);
  expect([modeOf(file), modeOf(`${file}.logs`)]).toEqual(["600", "700"]);

  await using restored = queuectl();
  restore(file, restored);
  expect(await restored.json("list")).toEqual(await q.json("list"));
  expect(await restored.ok("config", "get", "max_retries")).toBe("7");
  expect(await restored.ok("logs", "a")).toBe("first");
  await restored.ok("worker", "--until-empty");
  expect((await restored.json("show", "b")).state).toBe("completed");
});

test("a backup is whole however busy the queue is", async () => {
  await using q = queuectl();
  await q.ok("worker", "--detach", "--count", "4");
  const enqueuing = (async () => {
    for (let n = 0; n < 40; n++) await q.ok("enqueue", "true");
  })();
  const files = [1, 2, 3].map((n) => join(q.folder, `backup-${n}`));
  for (const file of files) await q.ok("backup", file);
  await enqueuing;
  for (const file of files) {
    await using restored = queuectl();
    restore(file, restored);
    const { total, ...counts } = await restored.json("status");
    expect((await restored.json("list", "--limit", "0")).length).toBe(total);
    await restored.ok("worker", "--until-empty");
    expect((await restored.json("status")).completed).toBe(total);
    expect(counts.dead).toBe(0);
  }
});

test("what a backup calls running is lost there: not charged, run again, and never taken over", async () => {
  await using q = queuectl();
  const gate = makeGate(q);
  await q.ok("enqueue", `echo ran >> ${q.folder}/ran; ${gate.command}`, "--id", "a");
  q.start("worker");
  await gate.reached();
  const file = join(q.folder, "backup");
  await q.ok("backup", file);

  await using restored = queuectl();
  restore(file, restored);
  expect(await restored.json("worker", "list")).toEqual([]);
  const worker = restored.start("worker");
  await worker.says(
    "job a ran by a worker that was forgotten, or before this database was copied, and is lost",
  );
  gate.open();
  expect((await restored("wait", "a")).status).toBe(0);
  const job = await restored.json("show", "a");
  expect(job.attempts).toBe(1);
  expect(job.attempts_history.map(({ result }: { result: string }) => result)).toEqual(["lost", "exited"]);
  // The first queue's own run is its own affair.
  expect((await q("wait", "a")).status).toBe(0);
  expect((await q.json("show", "a")).attempts_history).toHaveLength(1);
});

test("a backup that goes back into the home it came from ends what still runs there before it runs it again", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  await q.ok("enqueue", `sleep ${seconds}`, "--id", "a");
  const worker = q.start("worker");
  await waitUntil("the command runs", () => processesWith(`sleep ${seconds}`).length === 1);
  const file = join(q.folder, "backup");
  await q.ok("backup", file);
  worker.kill("SIGKILL");
  await worker.exited;
  const [before] = processesWith(`sleep ${seconds}`);

  for (const name of readdirSync(q.home).filter((name) => name.startsWith("queue.db")))
    await Bun.file(join(q.home, name)).delete();
  copyFileSync(file, databasePath(q.home));
  const next = q.start("worker");
  await next.says("is lost");
  await waitUntil("it runs again", () => {
    const pids = processesWith(`sleep ${seconds}`);
    return pids.length === 1 && pids[0] !== before;
  });
  await q.ok("cancel", "a", "--wait");
});

test("of output that is too much a backup has what is kept of it, also while it is written", async () => {
  await using q = queuectl({ QUEUECTL_LOG_LIMIT: "64KiB" });
  await q.ok("run", "seq 200000", "--id", "over");
  await q.ok("enqueue", "seq 100000000000", "--id", "runs");
  q.start("worker");
  const log = jobLogPath(q.home, 2, 1);
  await waitUntil("it has written a lot", () => existsSync(gapPath(log)) && statSync(log).size > 5_000_000);
  const file = join(q.folder, "queue.backup");
  await q.ok("backup", file, "--with-logs");
  await q.ok("cancel", "runs", "--wait");
  await using restored = queuectl();
  restore(file, restored);
  expect(await restored("logs", "over")).toEqual(await q("logs", "over"));
  const { stdout, stderr } = await restored("logs", "runs");
  expect(stdout.startsWith("1\n2\n3\n")).toBe(true);
  expect(stderr).toContain("left out here, after 32 KiB");
  const behind = stdout.slice(32_768).split("\n").slice(1, -1).map(Number);
  expect(behind.length).toBeGreaterThan(10);
  expect(behind.every((number, n) => n === 0 || number === behind[n - 1]! + 1)).toBe(true);
});

test("logs of runs that a backup does not know stay out of it", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "echo known", "--id", "a");
  await q.ok("worker", "--until-empty");
  writeFileSync(jobLogPath(q.home, 1, 2), "of a later run");
  writeFileSync(jobLogPath(q.home, 2, 1), "of a later job");
  const file = join(q.folder, "backup");
  await q.ok("backup", file, "--with-logs");
  const names = readdirSync(join(`${file}.logs`, "jobs", "000", "000"));
  expect(names).toEqual(["1-1.log"]);
});

test("a new run's log holds nothing of another that had its name", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "echo new", "--id", "a");
  mkdirSync(join(jobLogPath(q.home, 1, 1), ".."), { recursive: true });
  writeFileSync(jobLogPath(q.home, 1, 1), "old\n");
  await q.ok("worker", "--until-empty");
  expect(await q.ok("logs", "a")).toBe("new");
});

test("a backup never takes a name that SQLite has for files of the queue", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  const link = join(q.folder, "by-another-way");
  symlinkSync(q.home, link);
  for (const folder of [q.home, link])
    for (const name of ["queue.db", "queue.db-wal", "queue.db-shm", "queue.db-journal", "queue.db.old"]) {
      const refused = await q("backup", join(folder, name));
      expect([refused.status, refused.stdout]).toEqual([2, ""]);
      expect(refused.stderr).toMatch(/^queuectl: .*queue\.db\S* is a name of the queue itself \(.*\)\n$/);
    }
  expect(readdirSync(q.home).filter((name) => name.includes("unfinished"))).toEqual([]);
  await q.ok("backup", join(q.home, "safe.db"));
});

test("a file that exists is left alone, and nothing unfinished lies about", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  const file = join(q.folder, "backup");
  writeFileSync(file, "precious");
  const refused = await q("backup", file);
  expect([refused.status, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toMatch(/^queuectl: .*backup exists \(.*\)\n$/);
  expect(await Bun.file(file).text()).toBe("precious");

  mkdirSync(join(q.folder, "other.logs"));
  expect((await q("backup", join(q.folder, "other"), "--with-logs")).status).toBe(1);
  expect(existsSync(join(q.folder, "other"))).toBe(false);

  const nowhere = await q("backup", join(q.folder, "no", "such", "folder"));
  expect(nowhere.status).toBe(1);
  expect(nowhere.stderr).toMatch(/^queuectl: the backup .* cannot be written: .*\n$/);
  expect(readdirSync(q.folder).filter((name) => name.includes("unfinished"))).toEqual([]);
});

test("there is nothing to back up where there is no queue, and none is made", async () => {
  await using q = queuectl();
  const { status, stderr } = await q("backup", join(q.folder, "backup"));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^queuectl: there is no database .*\n$/);
  expect(existsSync(q.home)).toBe(false);
  expect(existsSync(join(q.folder, "backup"))).toBe(false);
});
