// The doctor finds what is wrong, tells it from what only may go wrong, and says what to do.

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { judgeClock, judgeSqlite, schema } from "../../src/care/database-questions.ts";
import { fileSystemOf, judgeFileSystem, judgeSpace, judgeSync } from "../../src/care/disk-questions.ts";
import type { Diagnosis } from "../../src/care/doctor.ts";
import { databasePath, jobLogPath, journalPath } from "../../src/home.ts";
import { makeGate } from "../support/gate.ts";
import { asOrdinaryUser, isRoot } from "../support/ordinary-user.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { noSmallDisk, smallDisk } from "../support/small-disk.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

interface Report {
  readonly status: number;
  readonly healthy: boolean;
  /** The answer to one question. */
  of(about: string): Diagnosis;
}

async function report(q: Queuectl, env: Record<string, string> = {}): Promise<Report> {
  const { status, stdout, stderr } = await q.with({ env }, "doctor", "--json");
  expect(stderr).toBe("");
  const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: Diagnosis[] };
  for (const { level, mend } of findings) expect(mend === undefined).toBe(level === "ok");
  return {
    status,
    healthy,
    of(about) {
      const found = findings.find((finding) => finding.about === about);
      if (!found) throw new Error(`the doctor was not asked about ${about}`);
      return found;
    },
  };
}

/** Changes the database behind queuectl's back. */
function tamper(q: Queuectl, statement: string): void {
  using db = new Database(databasePath(q.home));
  db.run(statement);
}

test("a queue that works is healthy, question by question, and looking changes nothing", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  await q.ok("worker", "--until-empty");
  const before = readdirSync(q.home).toSorted();
  const { status, stdout, stderr } = await q("doctor");
  expect([status, stderr]).toEqual([0, ""]);
  const lines = stdout.trimEnd().split("\n");
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(line).toMatch(/^[a-z ]+ {2}ok: /);
  expect(readdirSync(q.home).toSorted()).toEqual(before);
});

test("where there is no queue yet, nothing is wrong and none is made", async () => {
  await using q = queuectl();
  const { status, healthy } = await report(q);
  expect([status, healthy]).toEqual([0, true]);
  expect(existsSync(q.home)).toBe(false);
});

test("a home that is not there yet and cannot be made is broken, as the first enqueue will find", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  const closed = join(q.folder, "closed");
  mkdirSync(closed, { mode: 0o500 });
  const env = { QUEUECTL_HOME: join(closed, "home") };
  const found = await report(q, env);
  expect([found.status, (await q.with({ env }, "enqueue", "true")).status]).toEqual([1, 1]);
  expect(found.of("home")).toMatchObject({
    level: "broken",
    text: `${env.QUEUECTL_HOME} is not there yet and cannot be made: ${closed} may not be written`,
    mend: "point QUEUECTL_HOME to a folder that you may write",
  });
  const link = join(q.folder, "link");
  symlinkSync(join(q.folder, "unmounted"), link);
  expect((await report(q, { QUEUECTL_HOME: link })).of("home").level).toBe("broken");
});

test.skipIf(!isRoot)("the home of somebody else is theirs, and is not to be chowned", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  mkdirSync(q.home, { mode: 0o700 });
  chownSync(q.home, 54321, 54321);
  expect((await report(q)).of("home")).toMatchObject({
    level: "broken",
    text: `${q.home} belongs to user 54321, and you are user 0`,
    mend: expect.stringMatching(/as its owner, or point QUEUECTL_HOME/),
  });
  await using almighty = queuectl({ QUEUECTL_HOME: q.home });
  expect((await report(almighty)).of("home").level).toBe("warning");
});

test.skipIf(noSmallDisk !== undefined)(
  "a home on a disk that is mounted read-only is told from one whose modes forbid it",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    disk.remount("ro");
    expect((await report(q)).of("home").text).toContain("cannot be made");
    disk.remount("rw");
    await q.ok("enqueue", "true");
    disk.remount("ro");
    const { level, text, mend } = (await report(q)).of("home");
    expect([level, text]).toEqual([
      "broken",
      `${join(disk.path, "home")} lies on a disk that is mounted read-only`,
    ]);
    expect(mend).not.toContain("chown");
    disk.remount("rw");
  },
);

test.skipIf(noSmallDisk !== undefined)(
  "how to make room on a full disk begins with what needs none",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    await q.ok("enqueue", "head -c 300000 /dev/zero", "--id", "a", "--max-retries", "0");
    await q.ok("worker", "--until-empty");
    disk.fill();
    expect((await q("delete", "a")).status).toBe(1);
    const { level, mend } = (await report(q)).of("free space");
    expect(level).toBe("broken");
    const [, folder] = /^remove old files below '([^']+)'/.exec(mend!)!;
    rmSync(folder!, { recursive: true });
    await q.ok("delete", "a");
  },
);

test.skipIf(noSmallDisk !== undefined)(
  "logs that a link has put on another disk are looked at there",
  async () => {
    using disk = smallDisk(512);
    await using q = queuectl();
    await q.ok("enqueue", "true");
    symlinkSync(join(disk.path, "logs"), join(q.home, "logs"));
    expect((await report(q)).of("home")).toMatchObject({
      level: "broken",
      text: `${q.home}/logs is a link to ${disk.path}/logs, which is not there, so no job can be started`,
    });
    mkdirSync(join(disk.path, "logs"), { mode: 0o700 });
    disk.fill();
    const found = await report(q);
    expect(found.of("home").level).toBe("ok");
    expect(found.of("free space")).toMatchObject({ level: "broken", text: `0 B free in ${q.home}/logs` });
  },
);

test("a home that others may look into is a warning with the command that mends it", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  chmodSync(q.home, 0o755);
  chmodSync(databasePath(q.home), 0o640);
  const found = await report(q);
  expect(found.status).toBe(0);
  expect(found.of("modes")).toMatchObject({
    level: "warning",
    mend: `chmod go= '${q.home}' '${databasePath(q.home)}'`,
  });
  await Bun.spawn(["/bin/sh", "-c", found.of("modes").mend!]).exited;
  expect((await report(q)).of("modes").level).toBe("ok");
});

test.each(["logs", "logs/workers", "logs/jobs/000/000", "run"])(
  "a %s that may not be written is broken",
  async (inner) => {
    await using q = queuectl({}, asOrdinaryUser);
    await q.ok("enqueue", "echo 42");
    await q.ok("worker", "--until-empty");
    const folder = `${q.home}/${inner}`;
    chmodSync(folder, 0o500);
    const found = await report(q);
    chmodSync(folder, 0o700);
    expect(found.status).toBe(1);
    expect(found.of("home")).toMatchObject({
      level: "broken",
      text: `${folder} may not be written, so no job can be started`,
      mend: expect.stringContaining(`chmod -R u+rwX '${q.home}'`),
    });
    expect((await report(q)).of("home").level).toBe("ok");
  },
);

test("a damaged database is broken, and the other questions are asked all the same", async () => {
  await using q = queuectl();
  for (let n = 0; n < 3; n++) await q.ok("enqueue", "true");
  const path = databasePath(q.home);
  const file = openSync(path, "r+");
  for (let at = 4096; at < statSync(path).size; at += 4096)
    writeSync(file, Buffer.alloc(512, 0xa5), 0, 512, at);
  const { status, stdout, stderr } = await q("doctor", "--json");
  expect([status, stderr]).toEqual([1, ""]);
  const { healthy, findings } = JSON.parse(stdout);
  expect(healthy).toBe(false);
  const levels = Object.fromEntries(findings.map((one: Diagnosis) => [one.about, one.level]));
  expect(levels).toMatchObject({ home: "ok", "free space": "ok" });
  expect(Object.values(levels)).toContain("broken");
  expect(JSON.stringify(findings)).toContain("damaged");
});

test("a row that its table does not allow is found", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  tamper(q, "pragma ignore_check_constraints = on; update jobs set state = 'asleep'");
  const found = await report(q);
  expect([found.status, found.of("integrity").level]).toEqual([1, "broken"]);
});

test("a foreign file in the database's place is broken", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  writeFileSync(databasePath(q.home), "something else entirely, and long enough to be looked at".repeat(100));
  const found = await report(q);
  expect(found.status).toBe(1);
  expect(found.of("database")).toMatchObject({
    level: "broken",
    text: expect.stringContaining("not a SQLite"),
  });
});

test.each(["missing", "empty"])(
  "a database that is %s beside the logs of its jobs is broken",
  async (how) => {
    await using q = queuectl();
    await q.ok("enqueue", "echo 42");
    await q.ok("worker", "--until-empty");
    for (const file of ["", "-wal", "-shm"]) rmSync(`${databasePath(q.home)}${file}`, { force: true });
    if (how === "empty") writeFileSync(databasePath(q.home), "");
    const found = await report(q);
    expect([found.status, found.of("free space").level]).toEqual([1, "ok"]);
    expect(found.of("database")).toMatchObject({
      level: "broken",
      text: expect.stringContaining("is empty or was missing, and the logs of its jobs are there"),
      mend: expect.stringContaining("restore a backup"),
    });
  },
);

test("an empty file where the database will be is a queue that is not there yet", async () => {
  await using q = queuectl();
  mkdirSync(q.home, { mode: 0o700 });
  writeFileSync(databasePath(q.home), "", { mode: 0o600 });
  const { status, healthy } = await report(q);
  expect([status, healthy]).toEqual([0, true]);
});

test("a database that is newer than the program is broken", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  tamper(q, "pragma user_version = 999");
  const found = await report(q);
  expect(found.status).toBe(1);
  expect(found.of("schema")).toMatchObject({ level: "broken", text: expect.stringContaining("999") });
});

test("a setting that cannot be used is broken, stored or in the environment, and named", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "priority", "2");
  tamper(q, "update settings set value = 'seven' where key = 'priority'");
  const stored = await report(q);
  expect(stored.status).toBe(1);
  expect(stored.of("settings")).toMatchObject({ level: "broken", mend: "queuectl config unset priority" });
  await q.ok("config", "unset", "priority");
  expect((await report(q)).status).toBe(0);
  const given = await report(q, { QUEUECTL_PRIORITY: "9" });
  expect([given.status, given.of("settings").mend]).toEqual([1, "unset QUEUECTL_PRIORITY"]);
});

test("a variable that looks like a setting and is none is named, with what may be meant", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  expect((await report(q, { QUEUECTL_MAX_RETRY: "0" })).of("settings")).toMatchObject({
    level: "warning",
    text: "QUEUECTL_MAX_RETRY in the environment is no setting",
    mend: "did you mean QUEUECTL_MAX_RETRIES?",
  });
  const unlike = (await report(q, { QUEUECTL_OWNERSHIP: "me" })).of("settings");
  expect(unlike.mend).toBe("queuectl config show lists the settings");
});

test("a dead worker and the job it ran are warnings until a worker starts", async () => {
  await using q = queuectl();
  const gate = makeGate(q);
  await q.ok("enqueue", gate.command, "--id", "a");
  const worker = q.start("worker");
  await gate.reached();
  expect((await report(q)).of("workers").text).toBe("1 worker, all alive");
  worker.kill("SIGKILL");
  await worker.exited;
  const found = await report(q);
  expect(found.status).toBe(0);
  expect(found.of("workers").level).toBe("warning");
  expect(found.of("running jobs")).toMatchObject({ level: "warning", text: expect.stringMatching(/^a ran/) });
  gate.open();
  await q.ok("worker", "--until-empty");
  const after = await report(q);
  expect([after.of("workers").level, after.of("running jobs").level]).toEqual(["ok", "ok"]);
});

test("a running job whose worker nobody knows is a warning", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true", "--id", "a");
  tamper(q, "update jobs set state = 'processing', worker_id = 'worker-gone'");
  expect((await report(q)).of("running jobs")).toMatchObject({
    level: "warning",
    text: expect.stringMatching(/^a ran/),
  });
});

test("an alert that cannot tell anybody is a warning", async () => {
  await using q = queuectl();
  const finding = async () => (await report(q)).of("alerts");
  await q.ok("status");
  expect(await finding()).toMatchObject({ level: "ok", text: "there is none" });
  await q.ok("alert", "add", "mail", "--on", "dead", "--email", "me@example.org");
  expect(await finding()).toMatchObject({
    level: "warning",
    text: "mail cannot send e-mail: smtp_url or mail_from is not set",
  });
  await q.ok("config", "set", "smtp_url", "smtp://localhost");
  expect((await finding()).level).toBe("warning");
  const given = await report(q, { QUEUECTL_MAIL_FROM: "queue@example.org" });
  expect(given.of("alerts").level).toBe("ok");
  await q.ok("config", "set", "mail_from", "queue@example.org");
  expect(await finding()).toMatchObject({ level: "ok", text: "1 alert" });
  tamper(
    q,
    `insert into deliveries (id, alert, event, message, created_at, due_at) values ('a', 'mail', 'dead', '{}', 0, 1)`,
  );
  expect(await finding()).toMatchObject({
    level: "warning",
    text: "1 message of mail should have been sent, and nobody tries",
    mend: expect.stringContaining("queuectl worker"),
  });
  tamper(q, `update deliveries set state = 'given_up', due_at = null, tried_at = ${Date.now()}`);
  expect(await finding()).toMatchObject({
    level: "warning",
    text: "mail gave up 1 message",
    mend: "queuectl alert test mail says what comes back",
  });
});

test("a queue that is paused for long while jobs wait is named", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true", "--queue", "mail");
  await q.ok("queue", "pause", "mail", "empty");
  expect((await report(q)).of("queues").level).toBe("ok");
  tamper(q, "update queues set paused_at = paused_at - 2 * 86400000");
  expect((await report(q)).of("queues")).toMatchObject({
    level: "warning",
    text: expect.stringContaining("mail is paused"),
  });
});

test("a schedule whose time has come and that nobody keeps is a warning", async () => {
  await using q = queuectl();
  await q.ok("schedule", "add", "nightly", "@daily", "true");
  expect((await report(q)).of("schedules").level).toBe("ok");
  tamper(q, "update schedules set next_at = next_at - 2 * 86400000");
  expect((await report(q)).of("schedules")).toMatchObject({
    level: "warning",
    text: expect.stringContaining("nightly"),
  });
});

test("workers of another host and workers that fell silent are named", async () => {
  await using q = queuectl();
  const worker = q.start("worker");
  await worker.says("started");
  const [{ id }] = await q.json("worker", "list");
  tamper(q, "update worker_processes set heartbeat_at = heartbeat_at - 3600000");
  expect((await report(q)).of("workers")).toMatchObject({
    level: "warning",
    text: expect.stringContaining(id),
  });
  tamper(q, "update worker_processes set host = 'far-away', pid_namespace = 'pid:[1]'");
  expect((await report(q)).of("workers").text).toMatch(new RegExp(`^${id} .*far-away`));
  tamper(q, "delete from workers; delete from worker_processes");
});

test("a worker whose home was moved is told with what has its jobs taken over", async () => {
  await using q = queuectl();
  const gate = makeGate(q);
  await q.ok("enqueue", gate.command, "--id", "a");
  const worker = q.start("worker");
  await gate.reached();
  const moved = join(q.folder, "moved");
  renameSync(q.home, moved);
  await using there = queuectl({ QUEUECTL_HOME: moved });
  const { level, text, mend } = (await report(there)).of("workers");
  expect([level, text]).toEqual(["warning", expect.stringContaining(`was started in ${q.home},`)]);
  await Bun.spawn(["/bin/sh", "-c", /^[^,]+/.exec(mend!)![0]]).exited;
  await worker.exited;
  await there.start("worker").says("took over job a");
  gate.open();
  expect((await there("wait", "a")).status).toBe(0);
  expect((await there.json("show", "a")).attempts_history).toHaveLength(1);
});

test("logs of jobs that are no more and journals of workers that are no more are told", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "echo kept");
  await q.ok("worker", "--until-empty");
  expect((await report(q)).of("logs").text).toBe("1 log");
  writeFileSync(jobLogPath(q.home, 1, 2), "left over");
  const journal = journalPath(q.home, undefined, "worker-gone");
  mkdirSync(dirname(journal), { recursive: true });
  writeFileSync(journal, "1.1 0\n");
  expect((await report(q)).of("journals").level).toBe("ok");
  utimesSync(journal, new Date(0), new Date(0));
  // Of a queue in PostgreSQL that the same home serves.
  const theirs = journalPath(q.home, "other", "worker-far");
  writeFileSync(theirs, "1.1 0\n");
  utimesSync(theirs, new Date(0), new Date(0));
  const found = await report(q);
  expect(found.status).toBe(0);
  expect(found.of("logs")).toMatchObject({ level: "warning", text: expect.stringMatching(/^1 log /) });
  expect(found.of("logs").mend).toContain(jobLogPath(q.home, 1, 2));
  expect(found.of("journals")).toMatchObject({
    level: "warning",
    mend: `nothing needs them; remove ${journal}`,
  });
});

test("a damaged database is not asked which logs and journals nobody needs", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "echo kept");
  await q.ok("worker", "--until-empty");
  const journal = journalPath(q.home, undefined, "worker-gone");
  writeFileSync(journal, "1.1 0\n");
  utimesSync(journal, new Date(0), new Date(0));
  tamper(q, "pragma foreign_keys = off; delete from attempts");
  tamper(q, "pragma ignore_check_constraints = on; update jobs set state = 'asleep'");
  const found = await report(q);
  expect(found.of("integrity").level).toBe("broken");
  for (const about of ["logs", "journals"])
    expect(found.of(about)).toMatchObject({ level: "ok", text: "not looked at, as the database is damaged" });
});

test("the journal of a worker that came to the home by another way is not left over", async () => {
  await using q = queuectl();
  const link = join(q.folder, "link");
  symlinkSync(q.home, link);
  await q.ok("worker", "start", "--detach");
  const [{ id }] = await q.json("worker", "list");
  utimesSync(journalPath(q.home, undefined, id), new Date(0), new Date(0));
  expect((await report(q, { QUEUECTL_HOME: link })).of("journals").level).toBe("ok");
  await q.ok("worker", "stop", "--wait");
});

test("a clock behind the last change is a warning", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  tamper(q, "update jobs set updated_at = updated_at + 7200000");
  const found = await report(q);
  expect([found.status, found.of("clock").level]).toEqual([0, "warning"]);
  expect(found.of("clock").text).toMatch(/2h|1h 59m/);
  expect(judgeClock(1_000_000, 1_001_000).level).toBe("ok");
  expect(judgeClock(1_000_000, null).level).toBe("ok");
});

const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
36 22 0:31 / /home rw shared:2 - nfs4 server:/home rw
37 36 0:32 / /home/user/local\\040disk rw shared:3 - xfs /dev/vdb rw
38 22 0:33 / /tmp rw - ext4 /dev/vdc rw
39 38 0:34 / /tmp rw - tmpfs tmpfs rw`;

test("the file system of a path is that of the nearest mount, the last of several", () => {
  expect(fileSystemOf("/var/queue", mountinfo)).toBe("ext4");
  expect(fileSystemOf("/homeless", mountinfo)).toBe("ext4");
  expect(fileSystemOf("/home/user", mountinfo)).toBe("nfs4");
  expect(fileSystemOf("/home/user/local disk/queue", mountinfo)).toBe("xfs");
  expect(fileSystemOf("/tmp", mountinfo)).toBe("tmpfs");
});

test("disks across a network, in memory, full or slow are told from good ones", () => {
  for (const type of ["nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"])
    expect(judgeFileSystem(type)).toMatchObject({
      level: "warning",
      text: expect.stringContaining("network"),
    });
  expect(judgeFileSystem("tmpfs").level).toBe("warning");
  for (const type of ["ext4", "xfs", "btrfs", "overlay", "zfs", "fuseblk", undefined])
    expect(judgeFileSystem(type).level).toBe("ok");
  const gigabyte = 1024 ** 3;
  const logs = "/home/logs/jobs";
  expect(judgeSpace({ bytes: gigabyte, names: undefined, logs }).level).toBe("ok");
  expect(judgeSpace({ bytes: gigabyte / 10, names: 1e6, logs }).level).toBe("warning");
  expect(judgeSpace({ bytes: 4096, names: 1e6, logs }).level).toBe("broken");
  expect(judgeSpace({ bytes: gigabyte, names: 0, logs }).level).toBe("broken");
  expect([judgeSync(1).level, judgeSync(250).level]).toEqual(["ok", "warning"]);
});

test("a schema is told from the one that the program knows", () => {
  const judged = (version: number) => schema({ schema: { version, newest: 2 } });
  expect([judged(3).level, judged(2).text]).toEqual(["broken", "2"]);
  expect(judged(1).text).toBe("1; the next command brings it to 2");
});

test("a SQLite with the fault of the write-ahead log is a warning", () => {
  for (const version of ["3.40.1", "3.51.2"]) expect(judgeSqlite(version).level).toBe("warning");
  for (const version of ["3.51.3", "3.54.1", "4.0.0"]) expect(judgeSqlite(version).level).toBe("ok");
});
