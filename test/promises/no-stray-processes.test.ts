// Promise 4: no stray processes. A timeout, a cancel and a forced stop end the whole process tree that a command started.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { ownSeconds, processesWith } from "../support/processes.ts";
import { program } from "../support/program.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

/** Commands that leave it hard to be ended; each runs `sleep SECONDS` somewhere. */
const trees: Record<string, (seconds: string) => string> = {
  "a plain command": (s) => `sleep ${s}`,
  "a background child": (s) => `sleep ${s} & wait`,
  "a pipeline": (s) => `sleep ${s} | cat | cat`,
  "a child in a session of its own": (s) => `setsid sleep ${s} & wait; sleep ${s}`,
  "a daemon that forked twice": (s) => `(setsid sh -c 'sleep ${s} & exit' &) ; sleep ${s}`,
  "a command that ignores TERM": (s) => `trap '' TERM; sleep ${s}; sleep ${s}`,
  "children that ignore TERM": (s) => `sh -c "trap '' TERM; sleep ${s}; sleep ${s}" & wait; sleep ${s}`,
  "a command that replaced its shell": (s) => `exec sleep ${s}`,
};

const runs = (seconds: string) => waitUntil("it runs", () => processesWith(`sleep ${seconds}`).length > 0);

const enders: Record<string, (q: Queuectl, seconds: string) => Promise<unknown>> = {
  // It may be over before anybody here has looked; its result says that it ran.
  "a timeout": async () => {},
  "a cancel": async (q, seconds) => {
    await runs(seconds);
    await q.ok("cancel", "a", "--wait");
  },
  "a forced stop": async (q, seconds) => {
    await runs(seconds);
    await q.ok("worker", "stop", "--force", "--wait");
  },
};

const expected: Record<string, readonly [state: string, result: string]> = {
  "a timeout": ["dead", "timed_out"],
  "a cancel": ["cancelled", "cancelled"],
  "a forced stop": ["pending", "released"],
};

describe.each(Object.keys(enders))("%s", (ender) => {
  test.concurrent.each(Object.keys(trees))("ends %s", async (tree) => {
    await using q = queuectl();
    const seconds = ownSeconds();
    await q.ok("config", "set", "kill_grace", "0.3");
    const timeout = ender === "a timeout" ? ["--timeout", "1"] : [];
    await q.ok("enqueue", trees[tree]!(seconds), "--id", "a", "--max-retries", "0", ...timeout);
    q.start("worker");
    await enders[ender]!(q, seconds);
    const job = await waitUntil("it ended", async () => {
      const now = await q.json("show", "a");
      return now.attempts_history[0]?.finished_at ? now : undefined;
    });
    expect([job.state, job.attempts_history[0].result]).toEqual([...expected[ender]!]);
    expect(processesWith(`sleep ${seconds}`)).toEqual([]);
  });
});

test("what a command leaves in its group ends with its shell, and the job says so", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  await q.ok("enqueue", `sleep ${seconds} & echo started`, "--id", "a");
  await q.ok("worker", "--until-empty");
  const job = await q.json("show", "a");
  expect(job.state).toBe("completed");
  expect(job.attempts_history[0].note).toContain("left behind");
  expect(processesWith(`sleep ${seconds}`)).toEqual([]);
});

test.each([
  ["0", []],
  ["3", ["--success-on", "3"]],
] as const)(
  "a daemon that left its group stays when the command succeeded (%s), and ends before a retry",
  async (code, rules) => {
    await using q = queuectl();
    const seconds = ownSeconds();
    await q.ok("enqueue", `setsid sleep ${seconds} & sleep 0.2; exit ${code}`, "--id", "a", ...rules);
    await q.ok("worker", "--until-empty");
    const [daemon] = processesWith(`sleep ${seconds}`);
    expect(daemon).toBeDefined();
    await q.ok("retry", "a");
    await q.ok("worker", "--until-empty");
    const now = processesWith(`sleep ${seconds}`);
    expect(now).toHaveLength(1);
    expect(now).not.toContain(daemon);
    process.kill(now[0]!, "SIGKILL");
  },
);

test("a daemon that left its group ends when the command failed", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  await q.ok("enqueue", `setsid sleep ${seconds} & sleep 0.2; exit 1`, "--id", "a", "--max-retries", "0");
  await q.ok("worker", "--until-empty");
  expect((await q.json("show", "a")).state).toBe("dead");
  expect(processesWith(`sleep ${seconds}`)).toEqual([]);
});

test("a background child that holds the output open does not keep the job running", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  await q.ok("enqueue", `echo before; (sleep ${seconds}; echo never) & exit 0`, "--id", "a");
  await q.ok("worker", "--until-empty");
  expect(await q.ok("logs", "a")).toBe("before");
  expect(processesWith(`sleep ${seconds}`)).toEqual([]);
});

test("a command that kills its own group is recorded as killed, and nothing is left", async () => {
  await using q = queuectl();
  const seconds = ownSeconds();
  await q.ok("enqueue", `sleep ${seconds} & kill -9 0`, "--id", "a", "--max-retries", "0");
  await q.ok("worker", "--until-empty");
  const job = await q.json("show", "a");
  expect(job.attempts_history[0]).toMatchObject({ result: "signalled", signal: "SIGKILL" });
  expect(processesWith(`sleep ${seconds}`)).toEqual([]);
});

test("a job does not suffer from the force that ended the one before", async () => {
  await using q = queuectl({ QUEUECTL_KILL_GRACE: "0.1", QUEUECTL_MAX_RETRIES: "0" });
  await q.ok("enqueue", "trap '' TERM; while :; do sleep 0.1; done", "--timeout", "0.3", "--id", "forced");
  await q.ok("enqueue", "true", "--id", "after");
  await q.ok("worker", "--until-empty");
  expect((await q.json("show", "forced")).last_exit_code).toBe(124);
  expect((await q.json("show", "after")).state).toBe("completed");
});

test("a worker that a job starts in the background is no part of the job, and lives on", async () => {
  await using q = queuectl();
  const command = `${program.map((word) => `'${word}'`).join(" ")} worker start --detach`;
  await q.ok("run", command);
  const [worker] = await q.json("worker", "list");
  expect(worker.state).toBe("idle");
  await q.ok("run", "exit 0");
  expect(await q.json("worker", "list")).toHaveLength(1);
});
