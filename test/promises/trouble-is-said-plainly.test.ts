// Promise 7: trouble is said plainly. One line saying what is wrong and what to do, the right exit status, no stack trace, nothing
// half-done; and workers keep what their commands came to, and resume by themselves when the trouble passes.

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { databasePath, jobLogPath, jobLogsFolder, logsFolder, workerLogPath } from "../../src/home.ts";
import { limitFiles, openFiles } from "../support/descriptors.ts";
import { makeGate } from "../support/gate.ts";
import { isRunning } from "../support/is-running.ts";
import { asOrdinaryUser } from "../support/ordinary-user.ts";
import { program } from "../support/program.ts";
import { type Queuectl, queuectl, type Result, type Running } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { noSmallDisk, smallDisk } from "../support/small-disk.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const testOnSmallDisk = test.skipIf(noSmallDisk !== undefined);

/** One line on stderr, nothing on stdout, exit status 1. */
function expectPlainly(result: Result, says: RegExp): void {
  expect(result).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(/^queuectl: [^\n]+ \([^\n]+\)\n$/),
  });
  expect(result.stderr).toMatch(says);
}

const timesIn = (text: string, part: string) => text.split(part).length - 1;

/** A worker that runs a job until the gate is opened. */
async function workerAtGate(q: Queuectl): Promise<{ worker: Running; gate: ReturnType<typeof makeGate> }> {
  const gate = makeGate(q);
  await q.ok("enqueue", gate.command, "--id", "a");
  const worker = q.start("worker");
  await gate.reached();
  return { worker, gate };
}

/** The result that was kept is stored: one attempt, completed, with its output. */
async function expectCompleted(q: Queuectl, id = "a"): Promise<void> {
  expect((await q("wait", id)).status).toBe(0);
  const job = await q.json("show", id);
  expect(job).toMatchObject({ state: "completed", attempts: 1 });
  expect(job.attempts_history).toHaveLength(1);
}

const databaseFiles = (home: string) => readdirSync(home).filter((name) => name.startsWith("queue.db"));

function moveDatabase(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of databaseFiles(from)) renameSync(join(from, name), join(to, name));
}

testOnSmallDisk(
  "a full disk: the command line says so, keeps what it acknowledged, and stores nothing half",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    await q.ok("enqueue", "true", "--id", "before");
    disk.fill();
    expectPlainly(await q("enqueue", "true", "--id", "during"), /disk .* is full .*make room/);
    expectPlainly(
      await q.with({ stdin: '[{"command":"true"},{"command":"true"}]' }, "enqueue", "--file", "-"),
      /full/,
    );
    disk.free();
    expect((await q.json("list")).map(({ id }: { id: string }) => id)).toEqual(["before"]);
    await q.ok("enqueue", "true", "--id", "after");
    expect((await q.json("status")).total).toBe(2);
  },
);

testOnSmallDisk(
  "a full disk: a worker keeps the result of its command, says so once, and resumes",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    const { worker, gate } = await workerAtGate(q);
    disk.fill();
    gate.open();
    await worker.says("is full");
    await worker.says("results are kept");
    disk.free();
    await worker.says("the database answers again");
    expect(timesIn(worker.stderr(), "is full")).toBe(1);
    await expectCompleted(q);
  },
);

testOnSmallDisk(
  "a full disk: a worker that is told twice to go does, and the next one finds how its command ended",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    const { worker, gate } = await workerAtGate(q);
    disk.fill();
    gate.open();
    await worker.says("results are kept");
    worker.kill("SIGTERM");
    await worker.says("waiting to store how a ended; once more leaves that to the next worker");
    worker.kill("SIGTERM");
    await worker.says("leaving to the next worker how a ended");
    expect(await worker.exited).toBe(1);
    expect(worker.stderr()).toMatch(/queuectl: the disk .* is full \(make room/);
    disk.free();
    await q.ok("worker", "--until-empty");
    await expectCompleted(q);
  },
);

testOnSmallDisk(
  "a full disk: run ends at the third Ctrl-C, and its job, whose end could not be stored, runs again",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    const gate = makeGate(q);
    const run = q.start("run", gate.command, "--id", "a", "--max-retries", "0");
    await gate.reached();
    disk.fill();
    run.kill("SIGINT");
    await run.says("results are kept");
    // Two at once: the command that the first one kills has not ended when the other is heard of.
    run.kill("SIGINT");
    run.kill("SIGTERM");
    expect(await run.exited).toBe(1);
    disk.free();
    gate.open();
    await q.ok("worker", "--until-empty");
    expect(await q.json("show", "a")).toMatchObject({ state: "completed" });
  },
);

testOnSmallDisk(
  "a full disk: a worker that waits for its last command says that it cannot store how that ended",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    const { worker, gate } = await workerAtGate(q);
    worker.kill("SIGTERM");
    await worker.says("once more gives back");
    disk.fill();
    gate.open();
    await worker.says("waiting to store how a ended; once more leaves that to the next worker");
    disk.free();
    expect(await worker.exited).toBe(0);
    await expectCompleted(q);
  },
);

testOnSmallDisk(
  "a full disk: a command that is given back is not charged, however late that can be stored",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl({ QUEUECTL_HOME: join(disk.path, "home") });
    const gate = makeGate(q);
    await q.ok("enqueue", `${gate.command}; sleep 300`, "--id", "a", "--max-retries", "0");
    await q.ok("enqueue", "true", "--id", "b");
    const worker = q.start("worker", "--count", "2");
    await gate.reached();
    expect((await q("wait", "b")).status).toBe(0);
    disk.fill();
    worker.kill("SIGTERM");
    await worker.says("once more gives back");
    worker.kill("SIGTERM");
    await worker.says("results are kept");
    disk.free();
    await worker.exited;
    expect(await q.json("show", "a")).toMatchObject({ state: "pending", attempts: 0 });
  },
);

testOnSmallDisk(
  "a full disk: a job whose log finds no room is given back, not charged, and runs when there is",
  async () => {
    using disk = smallDisk(2048);
    await using q = queuectl();
    mkdirSync(logsFolder(q.home), { recursive: true, mode: 0o700 });
    const logs = join(disk.path, "jobs");
    mkdirSync(logs);
    symlinkSync(logs, jobLogsFolder(q.home));
    disk.fillWithFiles();
    await expectGivenBack(q, /no space left/, () => disk.free());
  },
);

testOnSmallDisk("a disk that is mounted read-only is named, and nothing is left of the try", async () => {
  using disk = smallDisk(2048);
  const home = join(disk.path, "home");
  await using q = queuectl({ QUEUECTL_HOME: home });
  await q.ok("enqueue", "true", "--id", "before");
  disk.remount("ro");
  expectPlainly(await q("enqueue", "true"), /queue\.db cannot be used: read-only .*mounted read-only/);
  expectPlainly(await q("worker", "--until-empty"), /queue\.db/);
  await using other = queuectl({ QUEUECTL_HOME: join(disk.path, "new") });
  expectPlainly(await other("enqueue", "true"), /home folder .* cannot be made: .*read-only/);
  disk.remount("rw");
  await q.ok("worker", "--until-empty");
  expect((await q.json("status")).completed).toBe(1);
});

test.skipIf(!existsSync("/dev/full"))(
  "an id that cannot be printed is no reason to enqueue once more, and that is said",
  async () => {
    await using q = queuectl();
    const said = await shell(q, "queuectl enqueue 'echo once' >/dev/full");
    expectPlainly(
      { ...said, stdout: String(said.stdout) },
      /cannot be written: no space left on device \(what the command did stays done/,
    );
    expect(await q.json("list")).toHaveLength(1);
  },
);

test.skipIf(!existsSync("/dev/full"))(
  "a worker that cannot talk works on, and that is no failure",
  async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "a");
    expect((await shell(q, "queuectl worker --until-empty 2>/dev/full")).status).toBe(0);
    await expectCompleted(q);
  },
);

test("a database that may not be opened is named, and used again when it may", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  await q.ok("enqueue", "true", "--id", "a");
  for (const path of [databasePath(q.home), q.home]) {
    chmodSync(path, 0o000);
    for (const words of [["enqueue", "true"], ["list"], ["status", "--json"], ["worker", "--until-empty"]]) {
      expectPlainly(await q(...words), /queue\.db cannot be used: permission denied .*mode/);
    }
    chmodSync(path, 0o700);
  }
  chmodSync(databasePath(q.home), 0o400);
  expectPlainly(await q("enqueue", "true"), /queue\.db cannot be used: permission denied/);
  chmodSync(databasePath(q.home), 0o600);
  await q.ok("worker", "--until-empty");
  await expectCompleted(q);
});

test("a home folder that may not be entered any more stops no worker: it resumes when it may", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  const { worker, gate } = await workerAtGate(q);
  await q.ok("enqueue", "echo second", "--id", "b");
  chmodSync(q.home, 0o000);
  gate.open();
  await worker.says("no job can be started");
  await worker.says("permission denied");
  chmodSync(q.home, 0o700);
  await worker.says("jobs can be started again");
  await expectCompleted(q, "a");
  expect((await q("wait", "b")).status).toBe(0);
  expect(await q.ok("logs", "b")).toBe("second");
});

test("a home that cannot be made is named", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  mkdirSync(join(q.folder, "closed"), { mode: 0o500 });
  const env = { QUEUECTL_HOME: join(q.folder, "closed", "home") };
  expectPlainly(await q.with({ env }, "enqueue", "true"), /home folder .* cannot be made.*QUEUECTL_HOME/);
  writeFileSync(join(q.folder, "file"), "");
  const inFile = { QUEUECTL_HOME: join(q.folder, "file", "home") };
  expectPlainly(await q.with({ env: inFile }, "enqueue", "true"), /home folder .* cannot be made/);
  const aFile = { QUEUECTL_HOME: join(q.folder, "file") };
  expectPlainly(
    await q.with({ env: aFile }, "enqueue", "true"),
    /home folder .* is a file .*point QUEUECTL_HOME/,
  );
});

test("a home behind a link to a disk that is not mounted is told as such, by the doctor too", async () => {
  await using q = queuectl();
  const [link, target] = [join(q.folder, "link"), join(q.folder, "unmounted")];
  symlinkSync(target, link);
  for (const home of [link, join(link, "home")]) {
    const env = { QUEUECTL_HOME: home };
    const says = `the home folder ${home} cannot be made: ${link} is a link to ${target}, which is not there`;
    const refused = await q.with({ env }, "enqueue", "true");
    expectPlainly(refused, /mount the disk/);
    expect(refused.stderr).toContain(says);
    const { status, stdout } = await q.with({ env }, "doctor");
    expect(status).toBe(1);
    expect(stdout).toContain(says);
  }
});

test("a umask that keeps its own user from files is refused, and leaves nothing that cannot be used", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  for (const umask of ["0277", "0177", "0477"]) {
    const said = await shell(q, `umask ${umask}; queuectl enqueue true`);
    expectPlainly(
      { ...said, stdout: String(said.stdout) },
      new RegExp(`umask ${umask} keeps you .*umask 077`),
    );
    expect(existsSync(q.home)).toBe(false);
  }
  await q.ok("run", "true");
});

const asUnknownUser = [
  "unshare",
  "--user",
  "--map-user=54321",
  "--",
  "env",
  "-u",
  "HOME",
  "-u",
  "QUEUECTL_HOME",
];

test.skipIf(!Bun.which("unshare") || Bun.spawnSync([...asUnknownUser, "true"]).exitCode !== 0)(
  "a user whom the system does not know, without HOME, is told to name a folder",
  async () => {
    await using q = queuectl({}, asUnknownUser);
    expectPlainly(await q("enqueue", "true"), /your user has no home folder: .*QUEUECTL_HOME/);
  },
);

test("a database that another program keeps locked: the command line gives up with a line, a worker does not", async () => {
  await using q = queuectl();
  const { worker, gate } = await workerAtGate(q);
  using other = new Database(databasePath(q.home));
  other.run("pragma busy_timeout = 5000; begin immediate");
  gate.open();
  const refused = await q("enqueue", "true", "--id", "b");
  expectPlainly(refused, /queue\.db is locked by another program .*try again/);
  await worker.says("is locked by another program");
  expect((await q.json("show", "a")).state).toBe("processing");
  other.run("rollback");
  await worker.says("the database answers again");
  expect(timesIn(worker.stderr(), "is locked")).toBe(1);
  await expectCompleted(q);
  expect((await q.json("status")).total).toBe(1);
});

test("a database with a damaged page, whichever: a line or a right answer, and never a stack trace", async () => {
  await using q = queuectl();
  for (let n = 0; n < 5; n++) await q.ok("enqueue", `echo ${n}`, "--id", `job-${n}`, "--tag", "some");
  await q.ok("config", "set", "priority", "2");
  await q.ok("worker", "--until-empty");
  await q.ok("enqueue", "true");
  const whole = readFileSync(databasePath(q.home));
  const pageSize = 4096;
  let damaged = 0;
  for (let page = 1; page < whole.length / pageSize; page++) {
    for (const name of databaseFiles(q.home)) rmSync(join(q.home, name));
    writeFileSync(databasePath(q.home), whole, { mode: 0o600 });
    const file = openSync(databasePath(q.home), "r+");
    writeSync(file, Buffer.alloc(pageSize, 0xa5), 0, pageSize, page * pageSize);
    closeSync(file);
    for (const words of [
      ["list", "--json"],
      ["enqueue", "true"],
      ["status", "--json"],
      ["show", "job-1"],
    ]) {
      const { status, stdout, stderr } = await q(...words);
      expect(stderr).not.toMatch(/\n\s+at |Error:/);
      if (status === 0) continue;
      expect({ status, stdout, lines: timesIn(stderr, "\n") }).toEqual({ status: 1, stdout: "", lines: 1 });
      if (stderr.includes("is damaged")) damaged++;
    }
  }
  expect(damaged).toBeGreaterThan(3);
});

test("what is no database, and what is not queuectl's, is left alone", async () => {
  await using q = queuectl();
  mkdirSync(q.home, { mode: 0o700 });
  writeFileSync(databasePath(q.home), "a diary, and a long one at that. ".repeat(200));
  expectPlainly(await q("enqueue", "true"), /is not a SQLite database/);
  expectPlainly(await q("worker"), /is not a SQLite database/);
  rmSync(databasePath(q.home));
  using foreign = new Database(databasePath(q.home));
  foreign.run("create table diary (entry text)");
  expectPlainly(await q("enqueue", "true"), /not one of queuectl's/);
  expect(foreign.query("select name from sqlite_schema").all()).toEqual([{ name: "diary" }]);
});

test("a database newer than the program is named with its schema", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true");
  {
    using db = new Database(databasePath(q.home));
    db.run("pragma user_version = 999");
  }
  expectPlainly(await q("enqueue", "true"), /schema 999.*newer queuectl/);
});

test("a database that is moved away and put back while a worker runs: nothing is lost, and it resumes", async () => {
  await using q = queuectl();
  const { worker, gate } = await workerAtGate(q);
  const aside = join(q.folder, "aside");
  moveDatabase(q.home, aside);
  gate.open();
  await worker.says("was deleted or replaced");
  moveDatabase(aside, q.home);
  await worker.says("the database answers again");
  expect(timesIn(worker.stderr(), "was deleted or replaced")).toBe(1);
  await expectCompleted(q);
});

test("a database that is replaced while a worker runs: the worker touches neither the old nor the new one", async () => {
  await using q = queuectl();
  const { worker, gate } = await workerAtGate(q);
  for (const name of databaseFiles(q.home)) rmSync(join(q.home, name));
  expectPlainly(await q("enqueue", "true"), /empty or was missing, and the logs .*restore a backup/);
  rmSync(jobLogsFolder(q.home), { recursive: true });
  await q.ok("enqueue", "true", "--id", "new");
  await worker.says("was deleted or replaced");
  gate.open();
  worker.kill("SIGTERM");
  expect(await worker.exited).toBe(1);
  expect(worker.stderr()).toMatch(
    /\nqueuectl: the database .* was deleted or replaced .*\(put it back.*\)\n$/,
  );
  expect(await q.json("show", "new")).toMatchObject({ state: "pending", attempts_history: [] });
  await q.ok("worker", "--until-empty");
  await expectCompleted(q, "new");
});

test("a write-ahead log that is deleted alone is noticed too", async () => {
  await using q = queuectl();
  const { worker, gate } = await workerAtGate(q);
  rmSync(`${databasePath(q.home)}-wal`);
  gate.open();
  await worker.says("was deleted or replaced");
  worker.kill("SIGKILL");
  await worker.exited;
});

test("a home folder that is deleted while a worker runs makes it say so, and not fall over", async () => {
  await using q = queuectl();
  const { worker } = await workerAtGate(q);
  rmSync(q.home, { recursive: true });
  await worker.says("was deleted or replaced");
  worker.kill("SIGTERM");
  worker.kill("SIGINT");
  expect(await worker.exited).toBe(1);
  expect(worker.stderr()).not.toMatch(/\n\s+at /);
});

test("deleted log folders are made again, for jobs and for what the worker says", async () => {
  await using q = queuectl();
  const { worker, gate } = await workerAtGate(q);
  const [{ id }] = await q.json("worker", "list");
  rmSync(logsFolder(q.home), { recursive: true });
  gate.open();
  await expectCompleted(q, "a");
  await q.ok("enqueue", "echo after", "--id", "b");
  expect((await q("wait", "b")).status).toBe(0);
  expect(await q.ok("logs", "b")).toBe("after");
  expect(await q.ok("worker", "logs", id)).toContain("job b completed");
  worker.kill("SIGTERM");
  expect(await worker.exited).toBe(0);
});

/** A worker that cannot open logs gives jobs back until it can: said once, not charged, not tried over and over. */
async function expectGivenBack(q: Queuectl, why: RegExp, mend: () => void): Promise<void> {
  await q.ok("enqueue", "echo done", "--id", "a", "--max-retries", "0");
  const worker = q.start("worker");
  await worker.says("no job can be started");
  expect(worker.stderr()).toMatch(why);
  await worker.says("job a was given back to the queue");
  expect(await q.json("show", "a")).toMatchObject({ state: "pending", attempts: 0 });
  mend();
  await worker.says("jobs can be started again");
  expect((await q("wait", "a")).status).toBe(0);
  const { attempts, attempts_history } = await q.json("show", "a");
  expect(attempts).toBe(1);
  expect(attempts_history.map(({ result }: { result: string }) => result)).toEqual(["released", "exited"]);
  expect(attempts_history[0].error).toMatch(why);
  expect(timesIn(worker.stderr(), "no job can be started")).toBe(1);
  expect(await q.ok("logs", "a")).toBe("done");
}

test("a job whose log may not be written is given back, not charged, and runs when it may", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  mkdirSync(jobLogsFolder(q.home), { recursive: true, mode: 0o700 });
  chmodSync(q.home, 0o700);
  chmodSync(jobLogsFolder(q.home), 0o500);
  await expectGivenBack(q, /permission denied/, () => chmodSync(jobLogsFolder(q.home), 0o700));
});

test("a worker whose own log cannot be written works all the same", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  await q.ok("enqueue", "true", "--id", "a");
  mkdirSync(logsFolder(q.home), { mode: 0o700 });
  mkdirSync(dirname(workerLogPath(q.home, "any")), { mode: 0o500 });
  await q.ok("worker", "--until-empty");
  await expectCompleted(q);
  expectPlainly(await q("worker", "--detach"), /cannot open .*detached\.log: permission denied/);
});

test("a worker that has no place for its commands' last words says so and does not start", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  await q.ok("enqueue", "true");
  writeFileSync(join(q.home, "run"), "in the way");
  expectPlainly(await q("worker", "--until-empty"), /cannot .*run/);
  expect(await q.json("worker", "list")).toEqual([]);
});

test("output that may not be read is no empty output, and a log that cannot be removed keeps no job", async () => {
  await using q = queuectl({}, asOrdinaryUser);
  await q.ok("enqueue", "echo secret", "--id", "a");
  await q.ok("worker", "--until-empty");
  const log = jobLogPath(q.home, 1, 1);
  chmodSync(log, 0o000);
  expectPlainly(await q("logs", "a"), /cannot open .*1-1\.log: permission denied/);
  chmodSync(join(log, ".."), 0o500);
  await q.ok("delete", "a");
  expect(await q.json("list")).toEqual([]);
  expect(existsSync(log)).toBe(true);
  expect((await q("doctor")).stdout).toContain("1 log of jobs that are no more");
  chmodSync(join(log, ".."), 0o700);
});

test.skipIf(process.platform !== "linux")(
  "an enqueue that may open too few files speaks of them, and not of a lost database or a missing folder",
  async () => {
    for (let most = 5; most <= 9; most++) {
      await using q = queuectl();
      const said = await shell(q, `ulimit -n ${most}; exec ${program.join(" ")} enqueue true`);
      if (said.status === 0) continue;
      expectPlainly(
        { ...said, stdout: String(said.stdout) },
        /too many open files .*ulimit|more files .*ulimit/,
      );
      await q.ok("enqueue", "true");
    }
  },
);

test.skipIf(process.platform !== "linux")(
  "a worker that may open no more files ends what is out of time, and says how all ended when it may open more",
  async () => {
    await using q = queuectl();
    const [gate, other] = [makeGate(q), makeGate(q)];
    await q.ok("config", "set", "kill_grace", "0.2");
    await q.ok("config", "set", "max_retries", "0");
    await q.ok("enqueue", `trap '' TERM; ${gate.command}; sleep 300`, "--id", "late", "--timeout", "3");
    await q.ok("enqueue", `${other.command}; exit 5`, "--id", "failing");
    const worker = q.start("worker", "--count", "2");
    await gate.reached();
    await other.reached();
    const [late] = (await q.json("show", "late")).attempts_history;
    limitFiles(worker.pid, 3);
    other.open();
    await waitUntil("the command is killed", () => !isRunning(late.pid));
    limitFiles(worker.pid, 1024);
    expect((await q("wait", "late")).status).toBe(124);
    expect((await q("wait", "failing")).status).toBe(5);
    expect(worker.stderr()).not.toMatch(/\n\s+at /);
  },
);

for (const spare of [0, 1, 2]) {
  test.skipIf(process.platform !== "linux")(
    `a worker that may open ${spare} more files starts nothing, charges nobody, and goes on when it may open more`,
    async () => {
      await using q = queuectl();
      const worker = q.start("worker");
      await worker.says("waiting for jobs");
      const files = openFiles(worker.pid);
      const free = [...Array(files.size + 1).keys()].find((number) => !files.has(number))!;
      limitFiles(worker.pid, free + spare);
      await q.ok("enqueue", "true", "--id", "a");
      await worker.says("no job can be started: ");
      await worker.says("job a was given back to the queue");
      expect(await q.json("show", "a")).toMatchObject({ state: "pending", attempts: 0 });
      limitFiles(worker.pid, 1024);
      await worker.says("jobs can be started again");
      expect((await q("wait", "a")).status).toBe(0);
      expect(await q.json("show", "a")).toMatchObject({ state: "completed", attempts: 1 });
    },
  );
}
