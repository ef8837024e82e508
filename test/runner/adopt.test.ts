// What is taken over from a worker that is dead.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { adoptAttempt } from "../../src/runner/adopt.ts";
import { membersOfCgroup, openCgroups } from "../../src/runner/cgroup.ts";
import { journalingShell, openJournal, readJournal, readRun } from "../../src/runner/journal.ts";
import { type Mark, markVariables } from "../../src/runner/mark.ts";
import { startOf } from "../../src/runner/process-identity.ts";
import type { AttemptPlan } from "../../src/runner/supervise.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";

using probe = openCgroups();
const hasCgroups = probe.take(undefined) !== null;

const settings = effectiveSettings({}, {});

const planFor = (command: string, mark: Mark): AttemptPlan => ({
  command,
  cwd: mark.home,
  env: {},
  timeout: 0,
  logPath: join(mark.home, "log"),
  errorPath: null,
  rules: {},
  mark,
  limits: () => settings,
});

test.skipIf(!hasCgroups)(
  "a command that ended is not told from the one that got its control group after it",
  async () => {
    using folder = tempFolder();
    using cgroups = openCgroups();
    const group = cgroups.take(undefined)!.path;
    const next = Bun.spawn(["sleep", "60"], { cgroup: group });
    try {
      const journalPath = join(folder.path, "journal");
      const gone = Bun.spawnSync(["true"]).pid;
      writeFileSync(journalPath, `1.1 @${gone} ${group}\n1.1 3\n2.1 @${next.pid} ${group}\n`);
      const attempt = await adoptAttempt(planFor("exit 3", { home: folder.path, run: "1.1" }), {
        journalPath,
        pid: gone,
        pid_start: "1",
        ranFor: 1,
        rebooted: false,
      });
      expect(await attempt.ended).toMatchObject({ exit_code: 3, note: null });
      expect(membersOfCgroup(group)).toEqual([next.pid]);
    } finally {
      next.kill("SIGKILL");
      await next.exited;
    }
  },
);

/** Of this process, in microseconds. */
const cpuTime = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

test("two hundred commands are taken over for the price of reading their worker's journal a few times", async () => {
  using folder = tempFolder();
  const journalPath = join(folder.path, "journal");
  const gone = Bun.spawnSync(["true"]).pid;
  const others = Array.from(
    { length: 40_000 },
    (_, run) => `${run}.2 @${gone} /group/${run % 8}\n${run}.2 0\n`,
  );
  const runs = Array.from({ length: 200 }, (_, run) => `${run}.1`);
  writeFileSync(journalPath, [...runs.map((run) => `${run} @${gone}\n${run} 3\n`), ...others].join(""));
  readJournal(journalPath);
  const beforeReading = cpuTime();
  readJournal(journalPath);
  const before = cpuTime();
  const endings = await Promise.all(
    runs.map(async (run) => {
      const attempt = await adoptAttempt(planFor("exit 3", { home: folder.path, run }), {
        journalPath,
        pid: gone,
        pid_start: "1",
        ranFor: 1,
        rebooted: false,
      });
      return attempt.ended;
    }),
  );
  expect(endings.every(({ exit_code }) => exit_code === 3)).toBe(true);
  // Twice for each command would be four hundred times.
  expect(cpuTime() - before).toBeLessThan(100 * (before - beforeReading));
}, 120_000);

test("an exit status that a full disk has cut off is none", async () => {
  using folder = tempFolder();
  const journalPath = join(folder.path, "journal");
  writeFileSync(journalPath, "1.1 @1234 /group\n1.1 1");
  expect(readRun(journalPath, "1.1")).toEqual({ pid: 1234, status: undefined, cgroup: "/group" });
  expect(readJournal(journalPath).get("1.1")).toEqual({ pid: 1234, status: undefined, cgroup: "/group" });
});

test("a command that was taken over and has ended keeps its result, though nobody has looked since", async () => {
  using folder = tempFolder();
  const journalPath = join(folder.path, "journal");
  const mark = { home: folder.path, run: "1.1" };
  using journal = openJournal(journalPath);
  const shell = Bun.spawn(journalingShell("read line; exit 3", mark.run, { cgroup: null, limit: "" }), {
    env: { ...process.env, ...markVariables(mark) },
    detached: true,
    stdio: ["pipe", "ignore", "ignore", journal.descriptor],
  });
  const { pid } = shell;
  await waitUntil("the command runs", () => readJournal(journalPath).get("1.1")?.pid === pid);
  const attempt = await adoptAttempt(planFor("read line; exit 3", mark), {
    journalPath,
    pid,
    pid_start: startOf(pid)!,
    ranFor: 1,
    rebooted: false,
  });
  shell.stdin.end();
  // No turn of the event loop, so that nobody looks meanwhile.
  while (startOf(pid) !== undefined) Bun.sleepSync(1);
  attempt.end("cancelled");
  expect(await attempt.ended).toMatchObject({ result: "exited", exit_code: 3 });
});

test("a command without a word is lost, with its machine where that was started anew, and one with a word has ended by that", async () => {
  using folder = tempFolder();
  const journalPath = join(folder.path, "journal");
  const gone = Bun.spawnSync(["true"]).pid;
  writeFileSync(journalPath, `1.1 @${gone}\n2.1 @${gone}\n2.1 3\n`);
  const resultOf = async (run: string, rebooted: boolean) => {
    const orphan = { journalPath, pid: gone, pid_start: "1", ranFor: 1, rebooted };
    return (await (await adoptAttempt(planFor("true", { home: folder.path, run }), orphan)).ended).result;
  };
  expect(await Promise.all([false, true].map((rebooted) => resultOf("1.1", rebooted)))).toEqual([
    "lost",
    "rebooted",
  ]);
  expect(await Promise.all([false, true].map((rebooted) => resultOf("2.1", rebooted)))).toEqual([
    "exited",
    "exited",
  ]);
});
