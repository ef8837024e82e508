// The earlier systems' command lines, as their READMEs show them: the same words after `queuectl`, with the effect described
// there. The dashboards have a file of their own.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join, resolve } from "node:path";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

/** Has a `python` on every machine. */
const withPython = { PATH: `${resolve(import.meta.dir, "../programs")}:${process.env.PATH}` };

const ids = (jobs: { id: string }[]) => jobs.map(({ id }) => id);

/** The READMEs start a worker and go on typing: it runs in the background of the shell, or by --detach. */
const background = {
  "a worker behind the prompt": async (q: Queuectl, ...words: string[]) => {
    const worker = q.start(...words);
    await worker.says("started");
  },
  "a detached worker": async (q: Queuectl, ...words: string[]) => {
    await q.ok(...words, "--detach");
  },
};

describe.concurrent("FLAM", () => {
  test("test 1: a basic job is executed and completes", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "echo Hello FLAM");
    const worker = q.start("worker", "--count", "1");
    await worker.says(`job ${id} completed`);
    expect(worker.stderr()).toContain("started");
    expect(worker.stderr()).toContain(`executing ${id}: echo Hello FLAM`);
    expect(await q.ok("logs", id)).toBe("Hello FLAM");
    expect(ids(await q.json("list", "--state", "completed"))).toEqual([id]);
  });

  test("test 2: two workers execute in parallel and nothing twice", async () => {
    await using q = queuectl();
    const a = await q.ok("enqueue", "echo A");
    const b = await q.ok("enqueue", "echo B");
    const meet = (mine: string, other: string) => `touch ${mine}; until [ -e ${other} ]; do sleep 0.02; done`;
    const c = await q.ok("enqueue", meet("c", "d"));
    const d = await q.ok("enqueue", meet("d", "c"));
    const worker = q.start("worker", "--count", "2");
    await q.ok("wait", a, b, c, d);
    for (const id of [a, b, c, d]) {
      await worker.says(`job ${id} completed`);
      expect((await q.json("show", id)).attempts_history).toHaveLength(1);
      expect(worker.stderr().split(`executing ${id}:`)).toHaveLength(2);
    }
  });

  test("test 3: a job that times out is retried 3 times and moves to the DLQ with TimeoutExpired", async () => {
    await using q = queuectl(withPython);
    await q.ok("config", "set", "timeout", "0.3");
    await q.ok("config", "set", "backoff_base", "0");
    const id = await q.ok("enqueue", 'python -c "import time; time.sleep(30)"');
    const worker = q.start("worker", "--count", "1");
    await worker.says("moved to the dead letter queue after 3 retries: TimeoutExpired");
    expect(worker.stderr()).toContain(`job ${id} timed out after 0.3 s`);
    expect(worker.stderr()).toContain("will retry");
    const [dead] = await q.json("dlq", "list");
    expect(dead).toMatchObject({ id, state: "dead", attempts: 4, last_exit_code: 124 });
    expect(dead.last_error).toStartWith("TimeoutExpired");
    const row = await q.ok("dlq", "list");
    for (const shown of [id, "dead", "4", "python -c", "TimeoutExpired"]) expect(row).toContain(shown);
  });

  test("test 4: dlq retry moves a dead job back to its queue, dlq retry-all every one", async () => {
    await using q = queuectl();
    const [one, two] = await deadJobs(q, "exit 1", "exit 2");
    expect(ids(await q.json("dlq", "list")).toSorted()).toEqual([one!, two!].toSorted());
    const retried = await q("dlq", "retry", one!);
    expect(retried).toMatchObject({ status: 0, stdout: "" });
    expect(retried.stderr).toContain(one!);
    expect(await q.json("show", one!)).toMatchObject({ state: "pending", attempts: 0 });
    expect(ids(await q.json("dlq", "list"))).toEqual([two!]);
    await q.ok("dlq", "retry-all");
    expect(await q.json("dlq", "list")).toEqual([]);
    expect(await q.json("status")).toMatchObject({ pending: 2, dead: 0 });
  });

  test("test 5: a job of priority 5 runs before one of priority 1", async () => {
    await using q = queuectl();
    const low = await q.ok("enqueue", "echo LOW PRIORITY", "--priority", "1");
    const high = await q.ok("enqueue", "echo HIGH PRIORITY", "--priority", "5");
    const worker = q.start("worker", "--count", "1");
    await worker.says(`job ${low} completed`);
    const said = worker.stderr();
    expect(said.indexOf("echo HIGH PRIORITY")).toBeGreaterThan(-1);
    expect(said.indexOf(`job ${high} completed`)).toBeLessThan(said.indexOf("echo LOW PRIORITY"));
  });

  test("test 6: a scheduled job is waited for, and one whose time has passed runs at once", async () => {
    await using q = queuectl();
    const past = await q.ok("enqueue", "echo Scheduled Job", "--run-at", "2025-11-09T19:30:00Z");
    const worker = q.start("worker", "--count", "1");
    await worker.says(`job ${past} completed`);
    await q.ok("enqueue", "echo Scheduled Job", "--run-at", "2099-11-09T19:30:00Z");
    await worker.says("waiting until 2099-11-09T19:30:00.000Z");
    const runAt = new Date(Date.now() + 3000).toISOString();
    const future = await q.ok("enqueue", "echo Scheduled Job", "--run-at", runAt);
    await worker.says(`job ${future} completed`);
    const job = await q.json("show", future);
    expect(job.run_at).toBe(runAt);
    expect(Date.parse(job.started_at)).toBeGreaterThanOrEqual(Date.parse(runAt));
  });

  test("test 7: status shows the metrics", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    for (const command of ["true", "true", "true", "false"]) await q.ok("enqueue", command);
    await q.ok("worker", "--until-empty");
    expect(await q.json("status")).toMatchObject({
      total: 4,
      completed: 3,
      dead: 1,
      success_runs: 3,
      failed_runs: 1,
      success_rate: 0.75,
      avg_duration: expect.any(Number),
    });
    expect(await q.ok("status")).toMatch(/completed\s+3\b/);
  });

  test("worker --count 3 starts three workers", async () => {
    await using q = queuectl();
    q.start("worker", "--count", "3");
    await waitUntil("three workers are listed", async () => (await q.json("worker", "list")).length === 3);
    expect((await q.json("status")).active_workers).toBe(3);
  });

  test("config show shows the defaults, and config set timeout 15 changes new jobs", async () => {
    await using q = queuectl();
    expect(await q.json("config", "show")).toMatchObject({
      max_retries: 3,
      backoff_base: 2,
      poll_interval: 1,
    });
    await q.ok("config", "set", "timeout", "15");
    expect((await q.json("config", "show")).timeout).toBe(15);
    const id = await q.ok("enqueue", "echo Hello FLAM", "--max-retries", "1");
    expect(await q.json("show", id)).toMatchObject({ timeout: 15, max_retries: 1 });
  });

  test("its job specification can be enqueued as it is: the system's keys are ignored", async () => {
    await using q = queuectl();
    const job = {
      id: "unique-job-id",
      command: "echo Hello World",
      state: "pending",
      attempts: 0,
      max_retries: 3,
      created_at: 1700000000,
      updated_at: 1700000000,
      next_run_at: 0,
      priority: 1,
      last_duration: 0.0,
      last_exit_code: null,
    };
    expect(await q.ok("enqueue", JSON.stringify(job, null, 2))).toBe("unique-job-id");
    const stored = await q.json("show", "unique-job-id");
    expect(stored).toMatchObject({ state: "pending", attempts: 0, max_retries: 3, priority: 1 });
    expect(stored.created_at).not.toStartWith("2023");
    await q.ok("worker", "--until-empty");
    expect(await q.ok("logs", "unique-job-id")).toBe("Hello World");
  });
});

describe.concurrent("QueueCTL with a web dashboard", () => {
  for (const [how, startWorker] of Object.entries(background)) {
    test(`quick start with ${how}`, async () => {
      await using q = queuectl();
      await q.ok("enqueue", "--command", "echo 'Hello, QueueCTL!'", "--id", "my-first-job");
      await startWorker(q, "worker", "start", "--count", "1");
      await q.ok("wait", "my-first-job");
      expect(await q.ok("status")).toMatch(/completed\s+1\b/);
      expect(await q.ok("logs", "my-first-job")).toBe("Hello, QueueCTL!");
    });

    test(`three of ${how} are listed, logged and stopped, one and all`, async () => {
      await using q = queuectl();
      await startWorker(q, "worker", "start", "--count", "3");
      const id = await q.ok("enqueue", "sleep 0.2");
      await q.ok("wait", id);
      const workers = ids(await q.json("worker", "list"));
      expect(workers).toHaveLength(3);
      const [attempt] = (await q.json("show", id)).attempts_history;
      const log = await q.ok("worker", "logs", attempt.worker_id, "--lines", "50");
      expect(log).toContain(`executing ${id}: sleep 0.2`);
      expect((await q.ok("worker", "logs", attempt.worker_id, "--lines", "1")).split("\n")).toHaveLength(1);

      await q.ok("worker", "stop", "--id", workers[0]!);
      await waitUntil("one is gone", async () => (await q.json("worker", "list")).length === 2);
      expect(ids(await q.json("worker", "list"))).not.toContain(workers[0]!);
      await q.ok("worker", "stop");
      await waitUntil("all are gone", async () => (await q.json("worker", "list")).length === 0);
    });

    test(`worker stop --wait --timeout 10 returns when ${how} has finished its job and is gone`, async () => {
      await using q = queuectl();
      const id = await q.ok("enqueue", "until [ -e go ]; do sleep 0.02; done");
      await startWorker(q, "worker", "start", "--count", "3");
      await waitUntil("it runs", async () => (await q.json("show", id)).state === "processing");
      const stop = q.start("worker", "stop", "--wait", "--timeout", "10");
      await waitUntil("two are gone", async () => (await q.json("worker", "list")).length === 1);
      await Bun.write(join(q.folder, "go"), "");
      expect(await stop.exited).toBe(0);
      expect(await q.json("worker", "list")).toEqual([]);
      expect(await q.json("show", id)).toMatchObject({ state: "completed", attempts: 1 });
    });
  }

  test("a worker that is not there cannot be stopped or read", async () => {
    await using q = queuectl();
    for (const words of [
      ["worker", "stop", "--id", "worker-abc123"],
      ["worker", "logs", "worker-abc123", "--lines", "50"],
    ]) {
      const { status, stdout, stderr } = await q(...words);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toContain("worker-abc123");
    }
  });

  test("jobs are enqueued from JSON and from options, listed by state, and deleted", async () => {
    await using q = queuectl(withPython);
    const fromJson = await q.ok("enqueue", '{"command":"sleep 500", "max_retries":5}');
    expect(await q.json("show", fromJson)).toMatchObject({ command: "sleep 500", max_retries: 5 });
    await q.ok("enqueue", "--command", "python script.py", "--id", "job-123", "--max-retries", "3");
    expect(await q.json("show", "job-123")).toMatchObject({ command: "python script.py", max_retries: 3 });
    expect(ids(await q.json("list"))).toEqual(["job-123", fromJson]);

    q.start("worker", "start", "--count", "3");
    await q.ok("wait", "job-123");
    expect(await q.ok("logs", "job-123")).toBe("ran script.py");
    expect(ids(await q.json("list", "--state", "processing"))).toEqual([fromJson]);
    await q.ok("delete", "job-123");
    expect(ids(await q.json("list"))).toEqual([fromJson]);
    expect((await q("show", "job-123")).status).toBe(1);
  });

  test("dead letters are listed, retried and deleted", async () => {
    await using q = queuectl();
    const [dead] = await deadJobs(q, '{"id":"job-123","command":"false"}');
    expect(dead).toBe("job-123");
    expect(await q.ok("dlq", "list")).toContain("job-123");
    await q.ok("dlq", "retry", "job-123");
    expect(await q.json("show", "job-123")).toMatchObject({ state: "pending" });
    await q.ok("worker", "--until-empty");
    await q.ok("dlq", "delete", "job-123");
    expect(await q.json("dlq", "list")).toEqual([]);
    expect(await q.json("list")).toEqual([]);
  });

  test("settings are listed, read and changed under its names", async () => {
    await using q = queuectl();
    expect(await q.ok("config", "list")).toBe(await q.ok("config", "show"));
    expect(await q.ok("config", "get", "max_retries_default")).toBe("3");
    await q.ok("config", "set", "max_retries_default", "5");
    await q.ok("config", "set", "backoff_base", "3");
    await q.ok("config", "set", "poll_interval", "1.5");
    expect(await q.ok("config", "get", "max_retries_default")).toBe("5");
    expect(await q.json("config", "list")).toMatchObject({
      max_retries: 5,
      backoff_base: 3,
      poll_interval: 1.5,
    });
  });

  test("settings change what running workers do, without a restart", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "1000");
    const worker = q.start("worker", "start", "--count", "1");
    const first = await q.ok("enqueue", "false");
    await worker.says(`job ${first} failed`);
    await q.ok("config", "set", "backoff_base", "0");
    const second = await q.ok("enqueue", "false");
    expect((await q("wait", second)).status).toBe(1);
    expect(await q.json("show", second)).toMatchObject({ state: "dead", attempts: 4 });
    expect(await q.json("show", first)).toMatchObject({ state: "failed", attempts: 1 });
  });

  test("a command that does not exist and one that may not be executed fail and are retried", async () => {
    await using q = queuectl();
    await Bun.write(join(q.folder, "not-executable"), "");
    await deadJobs(q, "no-such-command-here", "./not-executable");
    const [denied, missing] = await q.json("dlq", "list");
    expect(missing).toMatchObject({ last_exit_code: 127, attempts: 2 });
    expect(missing.last_error).toContain("command, file or interpreter not found; PATH is ");
    expect(denied).toMatchObject({ last_exit_code: 126, attempts: 2 });
    expect(denied.last_error).toContain("not executable");
  });

  test("the delay before retry n is the base to the power of n", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.5");
    const id = await q.ok("enqueue", "false", "--max-retries", "2");
    const worker = q.start("worker");
    await worker.says("moved to the dead letter queue");
    expect(worker.stderr()).toContain("will retry in 0.5 s (retry 1 of 2)");
    expect(worker.stderr()).toContain("will retry in 0.25 s (retry 2 of 2)");
    const { attempts_history: runs } = await q.json("show", id);
    const pause = (n: number) => Date.parse(runs[n].started_at) - Date.parse(runs[n - 1].finished_at);
    expect(pause(1)).toBeGreaterThanOrEqual(500);
    expect(pause(2)).toBeGreaterThanOrEqual(250);
  });
});

describe.concurrent("QueueCTL with job files", () => {
  test("jobs are enqueued from a JSON file and from JSON in quotes", async () => {
    await using q = queuectl();
    await Bun.write(
      join(q.folder, "job_vs1.json"),
      '{\n  "command": "echo hello from vscode",\n  "max_retries": 2\n}\n',
    );
    const fromFile = await q.ok("enqueue", "--file", "job_vs1.json");
    expect(await q.json("show", fromFile)).toMatchObject({ max_retries: 2, state: "pending" });
    const inline = await q.ok("enqueue", '{"command": "echo Hello"}');
    await q.ok("worker", "start", "--until-empty");
    expect(await q.ok("logs", fromFile)).toBe("hello from vscode");
    expect(await q.ok("logs", inline)).toBe("Hello");
  });

  test("worker start --count 1 runs until Ctrl-C, and finishes its job before it goes", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", "sleep 0.5; echo done");
    const worker = q.start("worker", "start", "--count", "1");
    await worker.says(`executing ${id}`);
    worker.kill("SIGINT");
    expect(await worker.exited).toBe(0);
    expect(await q.json("show", id)).toMatchObject({ state: "completed", attempts: 1 });
    expect(await q.ok("logs", id)).toBe("done");
  });

  for (const [how, startWorker] of Object.entries(background)) {
    test(`success, failure, DLQ, retry and persistence with ${how}`, async () => {
      await using q = queuectl();
      await q.ok("config", "set", "backoff_base", "0");
      await Bun.write(join(q.folder, "job_success.json"), '{"command": "echo fine"}');
      await Bun.write(
        join(q.folder, "job_fail.json"),
        '{\n  "command": "invalid_command",\n  "max_retries": 2\n}\n',
      );
      const good = await q.ok("enqueue", "--file", "job_success.json");
      await startWorker(q, "worker", "start", "--count", "1");
      expect((await q("wait", good)).status).toBe(0);
      const bad = await q.ok("enqueue", "--file", "job_fail.json");
      expect((await q("wait", bad)).status).toBe(127);
      await q.ok("worker", "stop", "--wait");
      expect(await q.ok("dlq", "list")).toContain(bad);
      expect(await q.json("show", bad)).toMatchObject({ state: "dead", attempts: 3 });

      await q.ok("dlq", "retry", bad);
      expect(ids(await q.json("list", "--state", "pending"))).toEqual([bad]);
      expect(ids(await q.json("list", "--state", "completed"))).toEqual([good]);
      expect(await q.json("status")).toMatchObject({ total: 2, pending: 1, completed: 1, dead: 0 });

      await startWorker(q, "worker", "start", "--count", "1");
      expect((await q("wait", bad)).status).toBe(127);
      expect((await q.json("show", bad)).attempts_history).toHaveLength(6);
    });
  }

  test("config set and get max-retries", async () => {
    await using q = queuectl();
    for (const value of ["3", "5"]) {
      await q.ok("config", "set", "max-retries", value);
      expect(await q.ok("config", "get", "max-retries")).toBe(value);
    }
    await q.ok("config", "set", "base_backoff", "3");
    expect(await q.ok("config", "get", "base_backoff")).toBe("3");
    expect(await q.ok("config", "get", "backoff_base")).toBe("3");
  });

  test("jobs, states, settings and history survive when every process is killed", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "100");
    await q.ok("enqueue", "true", "--id", "good");
    await q.ok("enqueue", "false", "--id", "bad");
    await q.ok("enqueue", "true", "--id", "later", "--delay", "1h");
    const worker = q.start("worker", "start", "--count", "1");
    await worker.says("job bad failed");
    const before = await q.json("list");
    worker.kill("SIGKILL");
    await worker.exited;
    expect(await q.json("list")).toEqual(before);
    expect(await q.json("status")).toMatchObject({ completed: 1, failed: 1, pending: 1, active_workers: 0 });
    expect(await q.ok("config", "get", "backoff_base")).toBe("100");
    expect((await q.json("show", "bad")).attempts_history).toHaveLength(1);
  });
});

describe.concurrent("FLAM-", () => {
  for (const [how, startWorker] of Object.entries(background)) {
    test(`its walk through the commands with ${how}`, async () => {
      await using q = queuectl();
      await startWorker(q, "worker", "start", "--count", "1", "--poll", "1");
      const id = await q.ok("enqueue", '{"command": "echo hello; sleep 1", "max_retries": 2}');
      await q.ok("wait", id);
      expect(await q.ok("logs", id)).toBe("hello");
      expect(await q.json("show", id)).toMatchObject({ state: "completed", max_retries: 2 });
      expect(await q.json("status")).toMatchObject({ completed: 1, active_workers: 1 });
      for (const state of ["pending", "failed", "dead"]) {
        expect(await q.json("list", "--state", state)).toEqual([]);
      }
      expect(await q.json("dlq", "list")).toEqual([]);
      await q.ok("config", "set", "backoff-base", "3");
      expect(await q.ok("config", "show")).toMatch(/backoff_base\s+3\b/);
    });
  }

  test("list --state finds a job in each state", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "1000");
    await q.ok("enqueue", "true", "--id", "is-completed");
    await q.ok("enqueue", "false", "--id", "is-failed");
    await q.ok("enqueue", "false", "--id", "is-dead", "--max-retries", "0");
    await q.ok("enqueue", "sleep 60", "--id", "is-processing");
    await q.ok("enqueue", "true", "--id", "is-pending");
    await q.ok("enqueue", "true", "--id", "is-cancelled");
    await q.ok("cancel", "is-cancelled");
    const worker = q.start("worker", "start", "--count", "1", "--poll", "1");
    await worker.says("executing is-processing");
    for (const state of ["pending", "processing", "completed", "failed", "dead", "cancelled"]) {
      const listed = await q.json("list", "--state", state);
      expect(listed).toMatchObject([{ id: `is-${state}`, state }]);
    }
    expect(await q.json("status")).toMatchObject({
      pending: 1,
      processing: 1,
      completed: 1,
      failed: 1,
      dead: 1,
      cancelled: 1,
      total: 6,
    });
  });
});

describe.concurrent("flam_backend", () => {
  for (const [how, startWorker] of Object.entries(background)) {
    test(`its usage examples with ${how}`, async () => {
      await using q = queuectl();
      expect(await q.ok("enqueue", '{"id":"job1","command":"echo Hello World"}')).toBe("job1");
      expect(await q.ok("enqueue", '{"id":"job2","command":"sleep 2"}')).toBe("job2");
      await startWorker(q, "worker", "start", "--count", "2");
      await q.ok("wait", "job1");
      await waitUntil("job2 was started", async () => (await q.json("show", "job2")).state !== "pending");
      await q.ok("worker", "stop");
      await waitUntil("the workers are gone", async () => (await q.json("worker", "list")).length === 0);
      expect(await q.json("status")).toMatchObject({
        pending: 0,
        processing: 0,
        completed: 2,
        failed: 0,
        dead: 0,
        active_workers: 0,
      });
      expect(ids(await q.json("list"))).toEqual(["job2", "job1"]);
      expect(ids(await q.json("list", "--state", "completed"))).toEqual(["job2", "job1"]);
    });
  }

  test("dlq list shows a dead job, and dlq retry has it processed again", async () => {
    await using q = queuectl();
    await deadJobs(q, '{"id":"bad1","command":"exit 9"}');
    expect(await q.json("dlq", "list")).toMatchObject([{ id: "bad1", state: "dead" }]);
    await q.ok("dlq", "retry", "bad1");
    expect(await q.json("show", "bad1")).toMatchObject({ state: "pending", attempts: 0 });
    await q.ok("worker", "start", "--until-empty");
    expect(await q.json("show", "bad1")).toMatchObject({ state: "dead", last_exit_code: 9 });
  });

  test("config set and get with hyphens and with underscores", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max-retries", "3");
    expect(await q.ok("config", "get", "max-retries")).toBe("3");
    await q.ok("config", "set", "backoff_base", "2");
    expect(await q.ok("config", "get", "backoff_base")).toBe("2");
  });

  test("its job specification, with ISO 8601 times, can be enqueued as it is", async () => {
    await using q = queuectl();
    const job = {
      id: "unique-job-id",
      command: "echo 'Hello World'",
      state: "pending",
      attempts: 0,
      max_retries: 3,
      created_at: "2025-11-04T10:30:00Z",
      updated_at: "2025-11-04T10:30:00Z",
    };
    await Bun.write(join(q.folder, "job.json"), JSON.stringify(job));
    expect(await q.ok("enqueue", "--file", "job.json")).toBe("unique-job-id");
    expect((await q.json("show", "unique-job-id")).created_at).not.toStartWith("2025-11-04");
    await q.ok("worker", "start", "--until-empty");
    expect(await q.ok("logs", "unique-job-id")).toBe("Hello World");
  });

  test("the program alone helps", async () => {
    await using q = queuectl();
    const { status, stdout } = await q();
    expect(status).toBe(0);
    expect(stdout).toContain("enqueue");
  });
});

/** Enqueues commands or JSON with one retry, and runs them to their end. */
async function deadJobs(q: Queuectl, ...commands: string[]): Promise<string[]> {
  await q.ok("config", "set", "backoff_base", "0");
  const dead: string[] = [];
  for (const command of commands) dead.push(await q.ok("enqueue", command, "--max-retries", "1"));
  await q.ok("worker", "--until-empty");
  return dead;
}
