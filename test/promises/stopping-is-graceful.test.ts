// Promise 5: stopping is graceful. The first SIGINT or SIGTERM stops claiming and waits for running jobs; the second returns
// them to the queue without costing an attempt.

import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRunning, pidIn } from "../support/is-running.ts";
import { ownSeconds, processesWhere, processesWith } from "../support/processes.ts";
import { queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

test.each(signals)("the first %s lets the current job finish and claims no other", async (signal) => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  await q.ok("enqueue", `until [ -e '${go}' ]; do sleep 0.02; done`, "--id", "a");
  await q.ok("enqueue", "true", "--id", "b");
  const worker = q.start("worker");
  await worker.says("executing a");
  worker.kill(signal);
  await worker.says("finishing a");
  writeFileSync(go, "");
  expect(await worker.exited).toBe(0);
  expect((await q.json("show", "a")).state).toBe("completed");
  expect(await q.json("show", "b")).toMatchObject({ state: "pending", attempts: 0 });
  expect(await q.json("worker", "list")).toEqual([]);
});

test("a worker that finishes its job after a signal is stopping for everybody, and serves no queue any more", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  await q.ok("enqueue", `until [ -e '${go}' ]; do sleep 0.02; done`, "--id", "a");
  await q.ok("enqueue", "true", "--id", "b");
  const worker = q.start("worker", "--count", "2", "--queue", "default");
  await worker.says("executing a");
  worker.kill("SIGTERM");
  const states = async () => (await q.json("worker", "list")).map(({ state }: { state: string }) => state);
  await waitUntil("it is stopping", async () => (await states()).join() === "stopping");
  await q.ok("enqueue", "true", "--id", "c");
  expect(await q.ok("why", "c")).toContain("none serves its queue default");
  writeFileSync(go, "");
  expect(await worker.exited).toBe(0);
});

test.each(signals)(
  "the second %s gives the job back without a charge, and ends its processes",
  async (signal) => {
    await using q = queuectl();
    const seconds = ownSeconds();
    await q.ok("enqueue", `sleep ${seconds}`, "--id", "a");
    const worker = q.start("worker");
    await worker.says("executing a");
    worker.kill(signal);
    await worker.says("finishing a");
    worker.kill(signal);
    expect(await worker.exited).toBe(0);
    const job = await q.json("show", "a");
    expect(job).toMatchObject({ state: "pending", attempts: 0 });
    expect(job.attempts_history).toMatchObject([{ number: 1, result: "released", charged: false }]);
    expect(processesWith(`sleep ${seconds}`)).toEqual([]);
  },
);

test("the number of an attempt goes on after one that was given back", async () => {
  await using q = queuectl();
  await q.ok(
    "enqueue",
    "echo attempt $QUEUECTL_ATTEMPT; [ $QUEUECTL_ATTEMPT = 2 ] || sleep 1000",
    "--id",
    "a",
  );
  const worker = q.start("worker");
  await worker.says("executing a");
  await q.ok("worker", "stop", "--force", "--wait");
  await q.ok("worker", "--until-empty");
  const job = await q.json("show", "a");
  expect(job.attempts).toBe(1);
  expect(job.attempts_history.map(({ number }: { number: number }) => number)).toEqual([1, 2]);
  expect(await q.ok("logs", "a")).toBe("attempt 2");
});

test("an idle worker goes at the first signal", async () => {
  await using q = queuectl();
  const worker = q.start("worker", "--count", "3");
  await worker.says("waiting");
  worker.kill("SIGTERM");
  expect(await worker.exited).toBe(0);
});

test("worker stop lets jobs finish, and with --wait returns when they have", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "sleep 1; echo done", "--id", "a");
  const worker = q.start("worker");
  await worker.says("executing a");
  await q.ok("worker", "stop", "--wait");
  expect((await q.json("show", "a")).state).toBe("completed");
  expect(await worker.exited).toBe(0);
});

test("worker stop --wait that runs out of time says who still runs, and kills nothing", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  await q.ok("enqueue", `until [ -e '${go}' ]; do sleep 0.02; done`, "--id", "a");
  const worker = q.start("worker");
  await worker.says("executing a");
  const stopped = await q("worker", "stop", "--wait", "--timeout", "0.3");
  expect(stopped.status).toBe(1);
  expect(stopped.stderr).toContain("runs a");
  writeFileSync(go, "");
  expect(await worker.exited).toBe(0);
  expect((await q.json("show", "a")).state).toBe("completed");
});

test("one worker of several is stopped by its id, and the others work on", async () => {
  await using q = queuectl();
  const worker = q.start("worker", "--count", "3");
  await worker.says("waiting");
  const [{ id }] = await q.json("worker", "list");
  await q.ok("worker", "stop", "--id", id, "--wait");
  const left = await q.json("worker", "list");
  expect(left).toHaveLength(2);
  expect(left.map((one: { id: string }) => one.id)).not.toContain(id);
  expect((await q("run", "true")).status).toBe(0);
});

test("what has ended by itself is not given back, though something of it has still to be ended", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "kill_grace", "3");
  const stubborn = `trap '' TERM; touch stubborn; while :; do sleep 0.05; done`;
  await q.ok(
    "enqueue",
    `sh -c "${stubborn}" & until [ -e stubborn ]; do sleep 0.02; done; echo $$ > pid`,
    "--id",
    "a",
  );
  const worker = q.start("worker");
  const shell = await pidIn(join(q.folder, "pid"));
  await waitUntil("the command has ended", () => !isRunning(shell));
  worker.kill("SIGTERM");
  await worker.says("finishing a");
  worker.kill("SIGTERM");
  await worker.says("giving back a");
  expect(await worker.exited).toBe(0);
  expect(await q.json("show", "a")).toMatchObject({ state: "completed", attempts: 1 });
});

/** The first run leaves a daemon that does not want to end; the next ones are others. */
const stubborn = `trap '' TERM; touch up; while :; do sleep 0.05; done`;
const leavesDaemon = (next: string) =>
  `[ $QUEUECTL_ATTEMPT = 2 ] && exec ${next}; setsid sh -c "${stubborn}" & until [ -e up ]; do sleep 0.02; done`;

const daemon = () => processesWhere((words) => words.includes(stubborn));

test("a worker that is told to leave while it makes room for a job's next run gives that one back", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  await q.ok("enqueue", leavesDaemon(`sleep ${seconds}`), "--id", "a");
  const worker = q.start("worker");
  expect((await q("wait", "a")).status).toBe(0);
  await q.ok("config", "set", "kill_grace", "600");
  await q.ok("retry", "a");
  await waitUntil("it is claimed", async () => (await q.json("show", "a")).state === "processing");
  worker.kill("SIGUSR2");
  expect(await worker.exited).toBe(0);
  expect(await q.json("show", "a")).toMatchObject({ state: "pending", attempts: 0 });
  expect(processesWith(`sleep ${seconds}`)).toEqual([]);
  for (const pid of daemon()) process.kill(pid, "SIGKILL");
});

test("a job whose last run is still being ended keeps no other one waiting, and is cancelled at once", async () => {
  await using q = queuectl();
  await q.ok("enqueue", leavesDaemon("true"), "--id", "a");
  q.start("worker", "--count", "2");
  expect((await q("wait", "a")).status).toBe(0);
  await q.ok("config", "set", "kill_grace", "600");
  const pids = daemon();
  expect(pids).toHaveLength(1);
  await q.ok("retry", "a");
  await waitUntil("it is claimed", async () => (await q.json("show", "a")).state === "processing");
  await q.ok("enqueue", "true", "--id", "other");
  expect((await q("wait", "other", "--timeout", "60s")).status).toBe(0);
  await q.ok("cancel", "a", "--wait");
  expect(await q.json("show", "a")).toMatchObject({ state: "cancelled" });
  expect(daemon()).toEqual(pids);
  for (const pid of pids) process.kill(pid, "SIGKILL");
});
