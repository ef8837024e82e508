import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { makeGate } from "../support/gate.ts";
import { isRunning } from "../support/is-running.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { plainEnvironment, shell } from "../support/shell.ts";
import { atTerminal, ctrlC } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

const ignoreTerm = resolve(import.meta.dir, "../programs/ignore-term.sh");

const workerCount = async (q: Queuectl) => (await q.json("worker", "list")).length;

describe.concurrent("a worker", () => {
  test("tells each step of a job's life in a line of its own", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0");
    await q.ok("enqueue", "true", "--id", "good");
    await q.ok("enqueue", "exit 4", "--id", "bad", "--max-retries", "1");
    const worker = q.start("worker", "--until-empty");
    expect(await worker.exited).toBe(0);
    await worker.says("stopped");
    const told = worker
      .stderr()
      .replace(/^\d\d:\d\d:\d\d worker-\w+ /gm, "")
      .trim()
      .split("\n")
      .filter((line) => !line.includes("waiting for jobs"));
    expect(told).toEqual([
      "started, serving all queues",
      "executing good: true",
      expect.stringMatching(/^job good completed in /),
      "executing bad: exit 4",
      expect.stringMatching(/^job bad failed \(exit status 4\), will retry in 0 s \(retry 1 of 1\)$/),
      "executing bad: exit 4",
      "job bad failed, moved to the dead letter queue after 1 retry: exit status 4",
      "stopped",
    ]);
    expect(worker.stdout()).toBe("");
  });

  test("that is idle says once what it waits for, and until when", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "poll_interval", "0.05");
    const worker = q.start("worker");
    await worker.says("waiting for jobs");
    const { run_at } = await q.json("enqueue", "true", "--id", "later", "--delay", "1h");
    await worker.says(`waiting until ${run_at}`);
    await q.ok("wait", await q.ok("enqueue", "true"));
    expect(worker.stderr().split("waiting for jobs")).toHaveLength(2);
    expect(
      worker
        .stderr()
        .split("\n")
        .filter((line) => line.includes("waiting until")).length,
    ).toBeLessThanOrEqual(2);
  });

  test("starts a job at once that another process enqueued, however rarely it polls", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "poll_interval", "3600");
    const worker = q.start("worker");
    await worker.says("waiting for jobs");
    await worker.says(`job ${await q.ok("enqueue", "true")} completed`);
    await worker.says(`job ${await q.ok("enqueue", "true", "--delay", "0.5")} completed`);
  });

  test("serves only the queues it was given", async () => {
    await using q = queuectl();
    for (const queue of ["a", "b", "c"])
      await q.ok("enqueue", "true", "--id", `in-${queue}`, "--queue", queue);
    await q.ok("worker", "--until-empty", "--queue", "a", "--queue", "b");
    expect(await q.json("list", "--state", "completed")).toHaveLength(2);
    expect((await q.json("show", "in-c")).state).toBe("pending");
  });

  test("runs equal priorities in the order of their enqueueing, a retried job in its old place", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    for (const id of ["one", "two", "three"])
      await q.ok("enqueue", `echo ${id} >> order; [ -e again ]`, "--id", id);
    await q.ok("worker", "--until-empty");
    await q.ok("enqueue", "echo four >> order; touch again", "--id", "four");
    await q.ok("retry", "three");
    await q.ok("retry", "one");
    await q.ok("worker", "--until-empty");
    expect(readFileSync(join(q.folder, "order"), "utf8").trim().split("\n")).toEqual([
      "one",
      "two",
      "three",
      "one",
      "three",
      "four",
    ]);
  });

  test("shows what a command contains without obeying it", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "echo '\x1b]0;owned\x07\x1b[2J' > /dev/null");
    const worker = q.start("worker", "--until-empty");
    await worker.exited;
    await worker.says("stopped");
    expect(worker.stderr()).toContain("owned");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(worker.stderr()).not.toMatch(/[\x1b\x07]/);
  });

  test("goes on with the next job when one is deleted, cancelled or kills its group", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    await q.ok("enqueue", "kill -KILL 0", "--id", "killer");
    await q.ok("enqueue", "true", "--id", "next");
    await q.ok("worker", "--until-empty");
    expect(await q.json("show", "killer")).toMatchObject({ state: "dead" });
    expect(await q.json("show", "next")).toMatchObject({ state: "completed" });
  });
});

describe.concurrent("--until-empty", () => {
  test("waits for retries and scheduled jobs, and ends with 0 though a job died", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.5");
    await q.ok("enqueue", "false", "--id", "dies", "--max-retries", "1");
    await q.ok("enqueue", "true", "--id", "later", "--delay", "1");
    expect((await q("worker", "--until-empty")).status).toBe(0);
    expect(await q.json("status")).toMatchObject({ completed: 1, dead: 1, pending: 0, failed: 0 });
  });

  test("waits for what others run", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    const id = await q.ok("enqueue", gate.command);
    q.start("worker");
    await gate.reached();
    const second = q.start("worker", "--until-empty");
    await second.says("started");
    await second.says("waiting");
    expect((await q.json("show", id)).state).toBe("processing");
    expect(await workerCount(q)).toBe(2);
    gate.open();
    expect(await second.exited).toBe(0);
    expect((await q.json("show", id)).state).toBe("completed");
  });

  test("ends at once when there is nothing, also in the background", async () => {
    await using q = queuectl();
    expect((await q("worker", "--until-empty")).status).toBe(0);
    for (let time = 0; time < 5; time++) {
      expect((await q("worker", "--until-empty", "--detach")).status).toBe(0);
    }
    await waitUntil("all are gone", async () => (await workerCount(q)) === 0);
  });

  test("does not wait for queues it does not serve", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--queue", "other");
    await q.ok("worker", "--until-empty", "--queue", "mine");
    expect((await q.json("status")).pending).toBe(1);
  });
});

describe.concurrent("stopping", () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`the first ${signal} finishes the current job and takes no other`, async () => {
      await using q = queuectl();
      const gate = makeGate(q);
      await q.ok("enqueue", gate.command, "--id", "current");
      await q.ok("enqueue", "true", "--id", "next");
      const worker = q.start("worker");
      await gate.reached();
      worker.kill(signal);
      await worker.says("finishing current");
      gate.open();
      expect(await worker.exited).toBe(0);
      expect(await q.json("show", "current")).toMatchObject({ state: "completed", attempts: 1 });
      expect((await q.json("show", "next")).state).toBe("pending");
    });
  }

  test("the second Ctrl-C gives the jobs back without costing them an attempt", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "sleep 300 & echo $! > pid; wait", "--id", "long");
    const worker = q.start("worker");
    const pid = await waitUntil("it runs", () => {
      const path = join(q.folder, "pid");
      return existsSync(path) && Number(readFileSync(path, "utf8"));
    });
    worker.kill("SIGINT");
    await worker.says("finishing long");
    worker.kill("SIGINT");
    expect(await worker.exited).toBe(0);
    expect(isRunning(pid)).toBe(false);
    const job = await q.json("show", "long");
    expect(job).toMatchObject({ state: "pending", attempts: 0, worker_id: null });
    expect(job.attempts_history).toMatchObject([{ number: 1, result: "released", charged: false }]);
  });

  test("Ctrl-C typed once and twice at a terminal does the same", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "long");
    const worker = atTerminal(q, ["worker"]);
    await gate.reached();
    worker.type(ctrlC);
    await worker.shows("finishing long");
    worker.type(ctrlC);
    expect(await worker.exited()).toBe(0);
    expect(await q.json("show", "long")).toMatchObject({ state: "pending", attempts: 0 });
  });

  test("an idle worker goes at the first word", async () => {
    await using q = queuectl();
    const worker = q.start("worker");
    await worker.says("waiting for jobs");
    worker.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
    expect(await workerCount(q)).toBe(0);
  });

  test("worker stop --timeout without --wait is refused, and stops nobody", async () => {
    await using q = queuectl();
    await q.ok("worker", "--detach");
    const { status, stdout, stderr } = await q("worker", "stop", "--timeout", "5");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toBe("queuectl: --timeout says how long --wait waits: give both\n");
    expect((await q.json("worker", "list"))[0].state).toBe("idle");
    await q.ok("worker", "stop", "--wait");
  });

  test("worker stop --wait that runs out of time says who still runs what, and kills nothing", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "long");
    await q.ok("worker", "--detach");
    await gate.reached();
    const [worker] = await q.json("worker", "list");
    const { status, stdout, stderr } = await q("worker", "stop", "--wait", "--timeout", "0.3");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain(worker.id);
    expect(stderr).toContain("long");
    expect((await q.json("show", "long")).state).toBe("processing");
    expect((await q.json("worker", "list"))[0].state).toBe("stopping");
    gate.open();
    await q.ok("worker", "stop", "--wait");
    expect(await q.json("show", "long")).toMatchObject({ state: "completed", attempts: 1 });
  });

  test.skipIf(process.platform !== "linux")(
    "worker stop --wait for one whose process is stopped by a signal says how it goes on",
    async () => {
      await using q = queuectl();
      const worker = q.start("worker");
      await worker.says("waiting for jobs");
      worker.kill("SIGSTOP");
      const stopped = await q("worker", "stop", "--wait", "--timeout", "0.3");
      expect(stopped.status).toBe(1);
      expect(stopped.stderr).toMatch(/is stopped; kill -CONT \d+ lets it go on\)\n$/);
      worker.kill("SIGCONT");
      expect(await worker.exited).toBe(0);
    },
  );

  test("worker stop --force gives the jobs back, also of a command that ignores being asked", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "kill_grace", "0.2");
    const gate = makeGate(q);
    await q.ok("enqueue", `${gate.command} & exec ${ignoreTerm}`, "--id", "long");
    await q.ok("worker", "--detach");
    await gate.reached();
    await q.ok("worker", "stop", "--force", "--wait");
    expect(await workerCount(q)).toBe(0);
    expect(await q.json("show", "long")).toMatchObject({ state: "pending", attempts: 0 });
  });

  test("two worker stop at once both do their work", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true");
    await q.ok("worker", "--detach", "--count", "3");
    const both = await Promise.all([q("worker", "stop", "--wait"), q("worker", "stop", "--wait")]);
    for (const { status, stderr } of both) {
      expect(status).toBe(0);
      expect(stderr).not.toContain("still there");
    }
    expect(await workerCount(q)).toBe(0);
  });

  test("worker stop --id stops one, found by a beginning of its id, and leaves the others", async () => {
    await using q = queuectl();
    const worker = q.start("worker", "--count", "2");
    await waitUntil("both are there", async () => (await workerCount(q)) === 2);
    const [first, second] = await q.json("worker", "list");
    await q.ok("worker", "stop", "--id", first.id.replace("worker-", ""), "--wait");
    expect(await q.json("worker", "list")).toMatchObject([{ id: second.id }]);
    await q.ok("worker", "stop", "--id", second.id, "--wait");
    expect(await worker.exited).toBe(0);
  });

  test("worker stop --id --force gives back what that one runs, and no other's", async () => {
    await using q = queuectl();
    const go = join(q.folder, "go");
    for (const id of ["a", "b"])
      await q.ok("enqueue", `until [ -e '${go}' ]; do sleep 0.02; done`, "--id", id);
    q.start("worker", "--count", "2");
    await waitUntil("both run", async () => (await q.json("status")).processing === 2);
    await q.ok("worker", "stop", "--id", (await q.json("show", "a")).worker_id, "--force", "--wait");
    const results = async (id: string) =>
      (await q.json("show", id)).attempts_history.map(({ result }: { result: string | null }) => result);
    expect(await results("a")).toEqual(["released"]);
    expect(await results("b")).toEqual([null]);
    writeFileSync(go, "");
    await waitUntil("both are done", async () => (await q.json("status")).completed === 2);
  });

  test("worker stop where none runs is no failure", async () => {
    await using q = queuectl();
    expect(await q("worker", "stop", "--wait")).toMatchObject({ status: 0, stdout: "" });
  });
});

describe.concurrent("--detach", () => {
  test("prints the workers' ids, which then work by themselves", async () => {
    await using q = queuectl();
    const ids = (await q.ok("worker", "--count", "2", "--detach")).split("\n");
    const workers = await q.json("worker", "list");
    expect(workers.map(({ id }: { id: string }) => id).toSorted()).toEqual(ids.toSorted());
    expect(new Set(workers.map(({ pid }: { pid: number }) => pid)).size).toBe(1);
    const id = await q.ok("enqueue", "echo $PWD");
    await q.ok("wait", id);
    expect(await q.ok("logs", id)).toBe(q.folder);
  });

  test("a worker outlives the process group and the session it was started from", async () => {
    await using q = queuectl();
    const parent = Bun.spawn(["/bin/sh", "-c", "queuectl worker --detach; echo ready; sleep 300"], {
      cwd: q.folder,
      env: plainEnvironment(q),
      detached: true,
      stdout: "pipe",
    });
    const reader = parent.stdout.getReader();
    let said = "";
    while (!said.includes("ready")) said += new TextDecoder().decode((await reader.read()).value);
    process.kill(-parent.pid, "SIGHUP");
    process.kill(-parent.pid, "SIGKILL");
    await parent.exited;
    await q.ok("wait", await q.ok("enqueue", "true"));
  });

  test("a reader of its output is not kept waiting", async () => {
    await using q = queuectl();
    const { stdout } = await shell(q, 'ids=$(queuectl worker --detach); echo "$ids" | cat');
    expect(stdout.toString()).toMatch(/^worker-\w+\n$/);
  });

  test("a worker that cannot start is told by the one who started it", async () => {
    await using q = queuectl();
    const { status, stdout, stderr } = await q("worker", "--detach", "--queue", "a/b");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("a/b");
  });
});

describe.concurrent("worker list", () => {
  test("is [] in JSON and a word on stderr when there is none", async () => {
    await using q = queuectl();
    expect(await q.json("worker", "list")).toEqual([]);
    expect(await q("worker", "list")).toMatchObject({ status: 0, stdout: "" });
  });

  test("shows each worker with what it runs", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "long", "--queue", "a");
    const worker = q.start("worker", "--queue", "a", "--queue", "b");
    await gate.reached();
    const [listed] = await q.json("worker", "list");
    const { id } = listed;
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(id).toMatch(/^worker-/);
    expect(listed).toMatchObject({
      pid: worker.pid,
      host: hostname(),
      state: "busy",
      job_id: "long",
      queues: ["a", "b"],
      started_at: time,
      heartbeat_at: time,
    });
    expect((await q.json("show", "long")).worker_id).toBe(id);
    const row = (await q.ok("worker", "list")).split("\t");
    expect(row.slice(0, 4)).toEqual([id, "busy", "long", "a,b"]);
  });

  test("says that a worker is dead whose process was killed, and does not count it", async () => {
    await using q = queuectl();
    const worker = q.start("worker");
    await worker.says("started");
    worker.kill("SIGKILL");
    await worker.exited;
    expect(await q.json("worker", "list")).toMatchObject([{ pid: worker.pid, state: "dead" }]);
    expect((await q.json("status")).active_workers).toBe(0);
  });
});

test("a queue that is named twice is served once", async () => {
  await using q = queuectl();
  const words = ["--queue", "default", "--queue", "mail", "--queue", "default"];
  const { stderr } = await q("worker", "--until-empty", ...words);
  expect(stderr).toContain("serving default, mail\n");
});

describe.concurrent("worker logs", () => {
  test("have what a worker said, also when it is gone, and as many lines as asked for", async () => {
    await using q = queuectl();
    await Bun.write(join(q.folder, "jobs"), '{"command":"true"}\n'.repeat(40));
    await q.ok("enqueue", "--file", "jobs");
    await q.ok("worker", "--until-empty");
    const [{ id: job }] = await q.json("list", "--limit", "1");
    const { attempts_history: runs } = await q.json("show", job);
    const worker = runs[0].worker_id;
    const lines = async (...options: string[]) =>
      (await q.ok("worker", "logs", worker, ...options)).split("\n");
    expect(await lines()).toHaveLength(50);
    expect((await lines("--lines", "1"))[0]).toEndWith(" stopped");
    expect(await lines("--lines", "1000")).toHaveLength(82);
    expect((await lines("--lines", "1000"))[0]).toContain("started, serving all queues");
    expect(await lines("--lines", "2")).toEqual((await lines()).slice(-2));
    expect(await lines("-n", "2")).toEqual((await lines()).slice(-2));
  });

  test("--follow goes on until the worker is gone", async () => {
    await using q = queuectl();
    const id = await q.ok("worker", "--detach");
    const logs = q.start("worker", "logs", id, "-f");
    const job = await q.ok("enqueue", "true");
    await waitUntil("the new line is there", () => logs.stdout().includes(`job ${job} completed`));
    await q.ok("worker", "stop", "--wait");
    expect(await logs.exited).toBe(0);
    await waitUntil("the last line is there", () => logs.stdout().endsWith("stopped\n"));
  });

  test("are each worker's own", async () => {
    await using q = queuectl();
    const worker = q.start("worker", "--count", "2");
    await waitUntil("both are there", async () => (await workerCount(q)) === 2);
    const id = await q.ok("enqueue", "true");
    await worker.says(`job ${id} completed`);
    const { attempts_history: runs } = await q.json("show", id);
    const ran = runs[0].worker_id;
    const other = (await q.json("worker", "list")).find((one: { id: string }) => one.id !== ran).id;
    expect(await q.ok("worker", "logs", ran)).toContain(id);
    expect(await q.ok("worker", "logs", other)).not.toContain(id);
  });
});
