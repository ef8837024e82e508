// Promise 1: nothing acknowledged is lost. Once `enqueue` printed the id, the job survives kill -9 of everything and a power cut, the
// very first job in a new home included.

import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { databasePath } from "../../src/home.ts";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import { type Fate, noStrace, replay, tracing } from "../support/power-cut.ts";
import { program } from "../support/program.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const testPowerCut = test.skipIf(noStrace !== undefined);

/** Runs a script of /bin/sh, in which `q` is queuectl, and keeps what it did to files. `home` is below `disk`. */
async function trace(q: Queuectl, home: string, script: string): Promise<string> {
  const file = join(q.folder, "trace");
  const words = program.map((word) => `'${word}'`).join(" ");
  const child = Bun.spawn([...tracing(file), "/bin/sh", "-c", `q() { ${words} "$@"; }; ${script}`], {
    cwd: q.folder,
    env: { PATH: process.env.PATH!, HOME: q.folder, QUEUECTL_HOME: home },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [said, trouble] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${script} failed: ${trouble}${said}`);
  return file;
}

/** Always the same sequence, so that a failure can be looked at again. */
function dice(seed: number): Fate {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state > 0x80000000;
  };
}

/** Nothing that was not synced survives; all of it does; some of it does. */
const fates = (): readonly Fate[] => [() => false, () => true, dice(1), dice(2), dice(3), dice(4)];

const isJob = (line: string) => /^j\d+$/.test(line);

interface Cuts {
  readonly cuts: number;
  /** The most jobs that were acknowledged before a cut. */
  readonly acknowledged: number;
}

/** Cuts the power at every sync and after every printed id, and opens what is left. */
async function cutEverywhere(file: string, disk: string, home: string): Promise<Cuts> {
  let cuts = 0;
  let acknowledged = 0;
  for (const moment of replay(file, disk)) {
    const ids = moment.said.filter(isJob);
    acknowledged = ids.length;
    for (const fate of fates()) {
      cuts++;
      using left = tempFolder();
      moment.leaveIn(left.path, fate);
      const found = await jobsIn(join(left.path, home.slice(disk.length)));
      const missing = ids.filter((id) => !found.has(id));
      expect({ after: moment.call, missing }).toEqual({ after: moment.call, missing: [] });
    }
  }
  return { cuts, acknowledged };
}

/** The jobs in a home as the next command finds them, in a whole database. */
async function jobsIn(home: string): Promise<ReadonlySet<string>> {
  const path = databasePath(home);
  if (!existsSync(path)) return new Set();
  await using store = await openSqlite({ path });
  const { jobs } = await store.jobs.list({}, { limit: 0 });
  using db = new Database(path);
  expect(db.query("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
  return new Set(jobs.map(({ id }) => id));
}

testPowerCut(
  "a power cut at any moment loses no job whose id was printed, nor the first one in a new home",
  async () => {
    await using q = queuectl();
    const disk = join(q.folder, "disk");
    const home = join(disk, "made", "for", "the first job");
    mkdirSync(disk);
    const file = await trace(
      q,
      home,
      `q enqueue true --id j1 && q enqueue true --id j2 && printf '{"command":"true","id":"j3"}\\n{"command":"true","id":"j4"}\\n' > jobs &&
     q enqueue --file jobs && q status > status && q enqueue --id j5 -- echo hello`,
    );
    const { cuts, acknowledged } = await cutEverywhere(file, disk, home);
    expect(acknowledged).toBe(5);
    expect(cuts).toBeGreaterThan(100);
  },
);

testPowerCut("nor does one while a worker runs jobs, and after it checkpointed", async () => {
  await using q = queuectl();
  const disk = join(q.folder, "disk");
  const home = join(disk, "home");
  mkdirSync(disk);
  const file = await trace(
    q,
    home,
    `q enqueue true --id j1 && q worker --detach > worker && q enqueue true --id j2 && q wait j1 j2 &&
     q enqueue false --id j3 && q worker stop --wait && q enqueue true --id j4`,
  );
  expect((await cutEverywhere(file, disk, home)).acknowledged).toBe(4);
});

testPowerCut(
  "between the last write of a job and its id on stdout the write-ahead log is synced",
  async () => {
    await using q = queuectl();
    const disk = join(q.folder, "disk");
    const home = join(disk, "home");
    mkdirSync(disk);
    const file = await trace(q, home, "q enqueue true --id j1; q enqueue true --id j2");
    const calls = readFileSync(file, "latin1")
      .split("\n")
      .flatMap((line) => {
        if (/ write\(1<.*"j\d+\\n"/.test(line)) return ["printed"];
        if (/pwrite64\(\d+<[^>]*queue\.db-wal>/.test(line)) return ["written"];
        return /(fsync|fdatasync)\(\d+<[^>]*queue\.db-wal>/.test(line) ? ["synced"] : [];
      });
    const printed = calls.flatMap((call, index) => (call === "printed" ? [index] : []));
    expect(printed).toHaveLength(2);
    for (const index of printed) expect(calls.slice(index - 2, index)).toEqual(["written", "synced"]);
  },
);

testPowerCut("the model of the disk does lose what is not synced", async () => {
  await using q = queuectl();
  const disk = join(q.folder, "disk");
  mkdirSync(disk);
  const unsafe = join(q.folder, "unsafe.ts");
  await Bun.write(
    unsafe,
    `import { Database } from "bun:sqlite";
     const db = new Database("${disk}/queue.db", { create: true });
     db.run("pragma synchronous = off; pragma journal_mode = wal; create table jobs (id text); insert into jobs values ('j1')");
     require("node:fs").writeSync(1, "j1\\n");
     process.kill(process.pid, "SIGKILL");`,
  );
  const file = await trace(q, disk, `'${process.execPath}' '${unsafe}' || true`);
  const printed = replay(file, disk).find(({ said }) => said.includes("j1"));
  using left = tempFolder();
  printed!.leaveIn(left.path, () => false);
  expect(existsSync(join(left.path, "queue.db"))).toBe(false);
  rmSync(left.path, { recursive: true });
  printed!.leaveIn(left.path, () => true);
  using db = new Database(join(left.path, "queue.db"));
  expect(db.query("select id from jobs").all()).toEqual([{ id: "j1" }]);
});

test("kill -9 of everything that enqueues and works loses no job whose id was printed", async () => {
  await using q = queuectl();
  const began = performance.now();
  await q.ok("enqueue", "true");
  const usualMs = performance.now() - began;
  q.start("worker", "--count", "4", "--quiet");
  const printed: string[] = [];
  let cutShort = 0;
  // Killed at any time from the first instant to long after the id was printed, several beside each other.
  const rounds = Array.from({ length: 120 }, (_, n) => n);
  const enqueueAndKill = async (n: number) => {
    const child = Bun.spawn([...program, "enqueue", "true", "--tag", "survivor"], {
      cwd: q.folder,
      env: { ...process.env, QUEUECTL_HOME: q.home },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
    });
    const output = child.stdout.text();
    await Promise.race([Bun.sleep((usualMs * 4 * n) / rounds.length), child.exited]);
    child.kill("SIGKILL");
    const id = (await output).trim();
    if (id === "") cutShort++;
    else printed.push(id);
  };
  for (let n = 0; n < rounds.length; n += 3) {
    await Promise.all(rounds.slice(n, n + 3).map(enqueueAndKill));
    if (n % 30 !== 0) continue;
    const worker = q.start("worker", "--quiet");
    await Bun.sleep(usualMs);
    worker.kill("SIGKILL");
  }
  expect(cutShort).toBeGreaterThan(0);
  expect(printed.length).toBeGreaterThan(0);
  expect(new Set(printed).size).toBe(printed.length);
  const there = new Set((await q.json("list", "--limit", "0")).map(({ id }: { id: string }) => id));
  expect(printed.filter((id) => !there.has(id))).toEqual([]);
  expect((await q("doctor")).stdout).toContain("the database is whole");
});
