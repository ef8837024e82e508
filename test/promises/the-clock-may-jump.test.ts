// Promise 8: the clock may jump. Whole processes under a wall clock that is set an hour back and forth: no timeout changes, no run
// is lost or repeated, no retry is delayed beyond its own delay, and schedules survive.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type FakeClock, fakeClock, noFakeClock } from "../support/fake-clock.ts";
import { makeGate } from "../support/gate.ts";
import { isRunning, pidIn } from "../support/is-running.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const testWithClock = test.skipIf(noFakeClock !== undefined);

const hour = 3600;

interface Clocked extends AsyncDisposable {
  readonly q: Queuectl;
  readonly clock: FakeClock;
}

function clocked(): Clocked {
  const folder = tempFolder();
  const clock = fakeClock(folder.path);
  const q = queuectl(clock.environment);
  return {
    q,
    clock,
    async [Symbol.asyncDispose]() {
      await q[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** The wall clock as the processes see it. */
const clockOf = async (q: Queuectl) => {
  await q.ok("enqueue", "true", "--queue", "clock", "--id", "clock");
  const { created_at } = await q.json("show", "clock");
  await q.ok("delete", "clock");
  return Date.parse(created_at);
};

const resultsOf = async (q: Queuectl, id: string): Promise<string[]> =>
  (await q.json("show", id)).attempts_history.map(({ result }: { result: string }) => result);

testWithClock("the processes of these tests do go by the clock that is set", async () => {
  await using test = clocked();
  test.clock.set(-hour);
  expect(Math.abs((await clockOf(test.q)) - (Date.now() - hour * 1000))).toBeLessThan(60_000);
  test.clock.set(hour);
  expect(Math.abs((await clockOf(test.q)) - (Date.now() + hour * 1000))).toBeLessThan(60_000);
});

testWithClock("a clock that jumps back and forth changes no timeout and ends no run", async () => {
  await using test = clocked();
  const { q, clock } = test;
  const gate = makeGate(q);
  await q.ok("enqueue", gate.command, "--id", "short", "--timeout", "1m");
  await q.ok("enqueue", "sleep 600", "--id", "long", "--timeout", "3", "--max-retries", "0");
  const worker = q.start("worker", "--count", "2");
  await gate.reached();
  for (const offset of [hour, -hour, hour]) clock.set(offset);
  // By this clock the commands have not even begun.
  clock.set(-hour);
  expect((await q("wait", "long", "--timeout", "50s")).status).toBe(124);
  const long = await q.json("show", "long");
  expect(long.attempts_history[0]).toMatchObject({ result: "timed_out", exit_code: 124 });
  expect(long.attempts_history[0].duration).toBeGreaterThanOrEqual(3);
  expect(long.attempts_history[0].duration).toBeLessThan(hour);
  expect((await q.json("show", "short")).state).toBe("processing");
  gate.open();
  expect((await q("wait", "short")).status).toBe(0);
  expect(await resultsOf(q, "short")).toEqual(["exited"]);
  expect(worker.stderr()).not.toContain("took over");
});

testWithClock(
  "a clock that jumps loses no lease and repeats no run, with two worker processes beside each other",
  async () => {
    await using test = clocked();
    const { q, clock } = test;
    const gate = makeGate(q);
    const ran = join(q.folder, "ran");
    for (const id of ["a", "b"]) await q.ok("enqueue", `echo ${id} >> '${ran}'; ${gate.command}`, "--id", id);
    const workers = [q.start("worker"), q.start("worker")];
    await waitUntil("both run", async () => (await q.json("status")).processing === 2);
    await gate.reached();
    for (const offset of [hour, -hour, 0]) {
      clock.set(offset);
      // Whoever starts looks for the dead at once, and must find none by this clock either.
      await q.ok("worker", "--until-empty", "--queue", "other");
      expect((await q.json("status")).processing).toBe(2);
    }
    gate.open();
    expect((await q("wait", "a", "b")).status).toBe(0);
    for (const id of ["a", "b"]) expect(await resultsOf(q, id)).toEqual(["exited"]);
    expect(readFileSync(ran, "utf8").trim().split("\n").toSorted()).toEqual(["a", "b"]);
    for (const worker of workers) expect(worker.stderr()).not.toMatch(/took over|lost|taken by another/);
  },
);

testWithClock("a clock set back delays no retry, whatever the worker waits for", async () => {
  await using test = clocked();
  const { q, clock } = test;
  // Unasked, the worker looks once an hour: what makes it look is the retry alone.
  const worker = q.start("worker", "--poll", "3600");
  await worker.says("started");
  await q.ok("enqueue", "exit 1", "--id", "a", "--max-retries", "2");
  await worker.says("will retry in 2 s");
  clock.set(-hour);
  // Each retry comes within its own delay and a little; had the clock counted, it would take an hour.
  expect((await q("wait", "a", "--timeout", "45s")).status).toBe(1);
  expect(await resultsOf(q, "a")).toEqual(["exited", "exited", "exited"]);
});

testWithClock(
  "a clock set back while no worker runs delays no retry by more than its own delay",
  async () => {
    await using test = clocked();
    const { q, clock } = test;
    await q.ok("enqueue", "exit 1", "--id", "a", "--max-retries", "1");
    const worker = q.start("worker");
    await worker.says("will retry in");
    worker.kill("SIGKILL");
    await worker.exited;
    clock.set(-hour);
    q.start("worker");
    expect((await q("wait", "a", "--timeout", "45s")).status).toBe(1);
  },
);

testWithClock("a clock set forward and back again leaves schedules to the clock", async () => {
  await using test = clocked();
  const { q, clock } = test;
  const worker = q.start("worker");
  await worker.says("started");
  const runAt = new Date(Date.now() + (hour / 2) * 1000).toISOString();
  await q.ok("enqueue", "true", "--id", "later", "--run-at", runAt);
  clock.set(-hour);
  await q.ok("enqueue", "true", "--id", "now");
  expect((await q("wait", "now")).status).toBe(0);
  expect(await q.json("show", "later")).toMatchObject({ state: "pending", run_at: runAt });
  clock.set(hour);
  expect((await q("wait", "later", "--timeout", "45s")).status).toBe(0);
  expect(await q.json("show", "later")).toMatchObject({ run_at: runAt, attempts: 1 });
});

testWithClock(
  "a command whose worker dies while the clock jumps keeps what was left of its timeout",
  async () => {
    await using test = clocked();
    const { q, clock } = test;
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "a", "--timeout", "10m");
    const worker = q.start("worker");
    await gate.reached();
    worker.kill("SIGKILL");
    await worker.exited;
    clock.set(hour);
    const next = q.start("worker");
    await next.says("took over job a");
    clock.set(-hour);
    gate.open();
    expect((await q("wait", "a")).status).toBe(0);
    expect(await resultsOf(q, "a")).toEqual(["exited"]);
  },
);

test("a command that ended in time has not timed out, though its worker slept over both", async () => {
  await using q = queuectl();
  const pidFile = join(q.folder, "pid");
  const go = join(q.folder, "go");
  const command = `echo $$ > '${pidFile}'; until [ -e '${go}' ]; do sleep 0.02; done`;
  await q.ok("enqueue", command, "--id", "a", "--timeout", "5", "--max-retries", "0");
  const worker = q.start("worker", "--until-empty");
  const pid = await pidIn(pidFile);
  const isLate = performance.now() + 5_000;
  worker.kill("SIGSTOP");
  writeFileSync(go, "");
  await waitUntil("the command has ended", () => !isRunning(pid));
  await waitUntil("its time is up", () => performance.now() > isLate);
  worker.kill("SIGCONT");
  expect(await worker.exited).toBe(0);
  expect(await q.json("show", "a")).toMatchObject({ state: "completed", last_exit_code: 0 });
});
