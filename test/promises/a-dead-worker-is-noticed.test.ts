// Promise 3: a dead worker is noticed, and its jobs go on. Its running commands are taken over with their output and exit
// status intact, or ended and run again; they are never forgotten and never doubled.

import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRunning, pidIn } from "../support/is-running.ts";
import { ownSeconds, processesWith } from "../support/processes.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

/** A worker that runs a job, whose command has begun. */
async function workerRunning(q: Queuectl, id: string, command: string, ...words: string[]) {
  await q.ok("enqueue", command, "--id", id, ...words);
  const worker = q.start("worker");
  await worker.says(`executing ${id}`);
  await waitUntil("the command writes", async () => (await q.ok("logs", id)) !== "");
  return worker;
}

/** The pid of the shell of a job's running attempt, which leads its process group. */
const shellOf = (q: Queuectl, id: string): Promise<number> =>
  waitUntil(
    "its pid is known",
    async () => (await q.json("show", id)).attempts_history.at(-1).pid ?? undefined,
  );

/** Lets a command end when the test says so. */
const untilFile = (path: string) => `until [ -e '${path}' ]; do sleep 0.02; done`;

test("a command whose worker is killed is taken over: one attempt, its whole output, its true exit status", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  const worker = await workerRunning(
    q,
    "a",
    `echo begin; ${untilFile(go)}; echo end; exit 7`,
    "--max-retries",
    "0",
  );
  worker.kill("SIGKILL");
  await worker.exited;

  const next = q.start("worker");
  await next.says("took over job a");
  writeFileSync(go, "");
  expect((await q("wait", "a")).status).toBe(7);

  const job = await q.json("show", "a");
  expect(job.state).toBe("dead");
  expect(job.attempts_history).toHaveLength(1);
  expect(job.attempts_history[0]).toMatchObject({ result: "exited", exit_code: 7 });
  expect(await q.ok("logs", "a")).toBe("begin\nend");
});

test("a command that ended while no worker lived is settled with the exit status it left", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  const ended = join(q.folder, "ended");
  const worker = await workerRunning(
    q,
    "a",
    `echo begin; ${untilFile(go)}; touch '${ended}'; exit 5`,
    "--max-retries",
    "0",
  );
  worker.kill("SIGKILL");
  await worker.exited;
  writeFileSync(go, "");
  await waitUntil("the command ended", () => existsSync(ended));

  q.start("worker");
  expect((await q("wait", "a")).status).toBe(5);
  expect((await q.json("show", "a")).attempts_history).toHaveLength(1);
});

test("a living worker takes over from a dead one, and goes on with its own job", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  const dead = await workerRunning(q, "a", `echo begin; ${untilFile(go)}`);
  const living = await workerRunning(q, "b", `echo begin; ${untilFile(go)}`);
  dead.kill("SIGKILL");
  await living.says("took over job a");
  writeFileSync(go, "");
  expect((await q("wait", "a", "b")).status).toBe(0);
  expect((await q.json("show", "a")).attempts_history).toHaveLength(1);
});

test("a command that is gone without a word is recorded as lost, is not charged, and runs again", async () => {
  await using q = queuectl();
  const again = join(q.folder, "again");
  const command = `echo begin; [ -e '${again}' ] && exit 0; touch '${again}'; sleep 60`;
  const worker = await workerRunning(q, "a", command);
  const shell = await shellOf(q, "a");
  worker.kill("SIGKILL");
  await worker.exited;
  process.kill(-shell, "SIGKILL");

  q.start("worker");
  expect((await q("wait", "a")).status).toBe(0);
  const job = await q.json("show", "a");
  expect(job.attempts).toBe(1);
  expect(
    job.attempts_history.map(({ result, charged }: { result: string; charged: boolean }) => [
      result,
      charged,
    ]),
  ).toEqual([
    ["lost", false],
    ["exited", true],
  ]);
});

test("what is left of a lost command is ended before it runs again", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  const again = join(q.folder, "again");
  const command = `echo begin; [ -e '${again}' ] && exit 0; touch '${again}'; sleep ${seconds} & setsid sleep ${seconds} & wait`;
  const worker = await workerRunning(q, "a", command);
  await waitUntil("both sleep", () => processesWith(`sleep ${seconds}`).length === 2);
  const shell = await shellOf(q, "a");
  worker.kill("SIGKILL");
  await worker.exited;
  process.kill(shell, "SIGKILL");

  q.start("worker");
  expect((await q("wait", "a")).status).toBe(0);
  expect(processesWith(`sleep ${seconds}`)).toEqual([]);
});

test("a job that is lost max_lost times in a row with its worker is dead, and says poison pill", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "max_lost", "2");
  await q.ok("enqueue", "kill -9 $PPID; kill -9 0", "--id", "pill");
  for (let death = 0; death < 2; death++) expect(await q.start("worker").exited).not.toBe(0);
  q.start("worker");
  expect((await q("wait", "pill")).status).toBe(1);
  const job = await q.json("show", "pill");
  expect(job.last_error).toContain("poison pill");
  expect(job.attempts).toBe(0);
});

test("a taken-over command keeps what remains of its timeout", async () => {
  await using q = queuectl();
  const worker = await workerRunning(q, "a", "echo begin; sleep 60", "--timeout", "3", "--max-retries", "0");
  worker.kill("SIGKILL");
  await worker.exited;
  q.start("worker");
  expect((await q("wait", "a")).status).toBe(124);
  const { started_at, finished_at } = (await q.json("show", "a")).attempts_history[0];
  expect(Date.parse(finished_at) - Date.parse(started_at)).toBeGreaterThanOrEqual(2900);
});

test("worker stop --leave-running leaves the commands to the next worker", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  const worker = await workerRunning(q, "a", `echo begin; ${untilFile(go)}; echo end`);
  await q.ok("worker", "stop", "--leave-running", "--wait");
  expect(await worker.exited).toBe(0);
  expect((await q.json("show", "a")).state).toBe("processing");

  const next = q.start("worker");
  await next.says("took over job a");
  writeFileSync(go, "");
  expect((await q("wait", "a")).status).toBe(0);
  expect(await q.ok("logs", "a")).toBe("begin\nend");
});

describe.each([
  ["whose name is not all ASCII", "josé", "josé"],
  ["that workers come to by different ways", "link", "josé"],
])("in a home %s", (_what, first, second) => {
  test("commands are taken over, and what left their session is ended with them", async () => {
    using folder = tempFolder();
    const [real, go, strayPid] = ["josé", "go", "stray"].map((name) => join(folder.path, name));
    mkdirSync(real!, { mode: 0o700 });
    symlinkSync(real!, join(folder.path, "link"));
    await using q = queuectl({ QUEUECTL_HOME: join(folder.path, first) });
    await using other = queuectl({ QUEUECTL_HOME: join(folder.path, second) });
    const stray = `setsid sh -c 'echo $$ > "${strayPid}"; exec sleep 1000' &`;
    const worker = await workerRunning(
      q,
      "a",
      `echo begin; ${stray} ${untilFile(go!)}; exit 7`,
      "--max-retries",
      "0",
    );
    const pid = await pidIn(strayPid!);
    worker.kill("SIGKILL");
    await worker.exited;
    const next = other.start("worker");
    await next.says("took over job a");
    next.kill("SIGKILL");
    await next.exited;
    await q.start("worker").says("took over job a");
    writeFileSync(go!, "");
    expect((await q("wait", "a")).status).toBe(7);
    expect((await q.json("show", "a")).attempts_history).toHaveLength(1);
    expect(isRunning(pid)).toBe(false);
  });
});

test.each(["with a link from the former place", "for good"])(
  "commands go on while their home is moved %s: the next workers there take them over",
  async (how) => {
    using folder = tempFolder();
    const [former, moved, go] = ["former", "moved", "go"].map((name) => join(folder.path, name));
    await using q = queuectl({ QUEUECTL_HOME: former! });
    await using there = queuectl({ QUEUECTL_HOME: moved! });
    const worker = await workerRunning(q, "a", `echo begin; ${untilFile(go!)}; exit 7`, "--max-retries", "0");
    await q.ok("worker", "stop", "--leave-running", "--wait");
    await worker.exited;
    renameSync(former!, moved!);
    if (how !== "for good") symlinkSync(moved!, former!);
    for (let death = 0; death < 2; death++) {
      const next = there.start("worker");
      await next.says("took over job a");
      next.kill("SIGKILL");
      await next.exited;
    }
    writeFileSync(go!, "");
    there.start("worker");
    expect((await there("wait", "a")).status).toBe(7);
    expect((await there.json("show", "a")).attempts_history).toHaveLength(1);
  },
);

test("a command survives worker after worker", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  let worker = await workerRunning(q, "a", `echo begin; ${untilFile(go)}; exit 3`, "--max-retries", "0");
  for (let death = 0; death < 3; death++) {
    worker.kill("SIGKILL");
    await worker.exited;
    worker = q.start("worker");
    await worker.says("took over job a");
  }
  writeFileSync(go, "");
  expect((await q("wait", "a")).status).toBe(3);
  expect((await q.json("show", "a")).attempts_history).toHaveLength(1);
});

test("a job of a dead worker is cancelled by the command line itself, and its processes end", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  const worker = await workerRunning(q, "a", `echo begin; sleep ${seconds}`);
  worker.kill("SIGKILL");
  await worker.exited;
  await q.ok("cancel", "a", "--wait");
  expect((await q.json("show", "a")).state).toBe("cancelled");
  expect(processesWith(`sleep ${seconds}`)).toEqual([]);
});

test("a stopped worker process is alive: nobody takes its job", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  const stopped = await workerRunning(q, "a", `echo begin; ${untilFile(go)}`);
  stopped.kill("SIGSTOP");
  const other = q.start("worker", "--poll", "0.05");
  await other.says("waiting for jobs");
  // Two of the other's looks for dead workers, told by its own doing: it runs something meanwhile.
  await q.ok("enqueue", "sleep 5", "--id", "b");
  expect((await q("wait", "b")).status).toBe(0);
  expect(other.stderr()).not.toContain("took over");
  stopped.kill("SIGCONT");
  writeFileSync(go, "");
  expect((await q("wait", "a")).status).toBe(0);
});

test("a machine that was renamed sees its workers: the living one is stopped, the job of a dead one is taken over", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  const worker = await workerRunning(q, "a", `echo begin; ${untilFile(go)}; echo end`);
  const rename = () => {
    using db = new Database(join(q.home, "queue.db"));
    db.run("pragma busy_timeout = 10000");
    db.run("update worker_processes set host = 'its-name-before'");
  };
  rename();
  const idle = q.start("worker");
  await idle.says("started");
  rename();
  worker.kill("SIGKILL");
  await worker.exited;
  await idle.says("took over job a");
  writeFileSync(go, "");
  expect((await q("wait", "a")).status).toBe(0);
  expect(await q.ok("logs", "a")).toBe("begin\nend");
  await q.ok("worker", "stop", "--wait");
  expect(await idle.exited).toBe(0);
});

test("nothing remains of a dead worker in the list of workers", async () => {
  await using q = queuectl();
  const worker = await workerRunning(q, "a", "echo begin; sleep 0.2");
  worker.kill("SIGKILL");
  await worker.exited;
  expect(await q.start("worker", "--until-empty").exited).toBe(0);
  expect(await q.json("worker", "list")).toEqual([]);
  expect((await q.json("status")).active_workers).toBe(0);
});
