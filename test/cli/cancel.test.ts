import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { isRunning, pidIn } from "../support/is-running.ts";
import { queuectl } from "../support/queuectl.ts";
import { atTerminal } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

describe.concurrent("cancel", () => {
  test("stops jobs that wait: pending, scheduled and failed ones", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "1000");
    await q.ok("enqueue", "false", "--id", "failed");
    const worker = q.start("worker");
    await worker.says("job failed failed");
    await q.ok("worker", "stop", "--wait");
    await q.ok("enqueue", "true", "--id", "pending");
    await q.ok("enqueue", "true", "--id", "scheduled", "--delay", "1h");
    await q.ok("cancel", "pending", "scheduled", "failed");
    expect(await q.json("status")).toMatchObject({ cancelled: 3, total: 3 });
    await q.ok("worker", "--until-empty");
    expect((await q.json("show", "pending")).attempts_history).toEqual([]);
  });

  test("--wait returns when a running job and all of its processes have ended", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "(sleep 300 & echo $! > pid; wait) | cat; sleep 300", "--id", "job");
    q.start("worker");
    const pid = await pidIn(join(q.folder, "pid"));
    await q.ok("cancel", "job", "--wait");
    expect(isRunning(pid)).toBe(false);
    const job = await q.json("show", "job");
    expect(job).toMatchObject({ state: "cancelled", attempts: 0, worker_id: null });
    expect(job.attempts_history).toMatchObject([{ result: "cancelled", charged: false }]);
  });

  test("without --wait the job is cancelled soon after, and its worker goes on", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "job");
    await q.ok("enqueue", "true", "--id", "next");
    const worker = q.start("worker");
    await gate.reached();
    await q.ok("cancel", "job");
    await worker.says("job job was cancelled");
    await worker.says("job next completed");
  });

  test("of a job whose worker is dead ends its processes itself", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "sleep 300 & echo $! > pid; wait", "--id", "job");
    const worker = q.start("worker");
    const pid = await pidIn(join(q.folder, "pid"));
    worker.kill("SIGKILL");
    await worker.exited;
    expect(isRunning(pid)).toBe(true);
    await q.ok("cancel", "job", "--wait");
    expect(isRunning(pid)).toBe(false);
    expect((await q.json("show", "job")).state).toBe("cancelled");
  });

  test.skipIf(process.platform !== "linux")(
    "--wait for a job whose worker is stopped by a signal says so, and how the worker goes on",
    async () => {
      await using q = queuectl();
      await q.ok("enqueue", "touch begun; exec sleep 300", "--id", "job");
      const worker = q.start("worker");
      await waitUntil("the job runs", () => existsSync(join(q.folder, "begun")));
      worker.kill("SIGSTOP");
      const said = `job job runs by a worker whose process is stopped: kill -CONT ${worker.pid} lets it go on and end the job`;
      await waitUntil(
        "its process is stopped",
        async () => (await q("cancel", "job")).stderr === `${said}; --wait waits for it\n`,
      );
      const waiting = q.start("cancel", "job", "--wait");
      await waiting.says(said);
      worker.kill("SIGCONT");
      expect(await waiting.exited).toBe(0);
      expect((await q.json("show", "job")).state).toBe("cancelled");
    },
  );

  test("--tag stops all with the label that wait or run, and leaves others and settled ones alone", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("run", "true", "--id", "settled", "--tag", "t");
    await q.ok("enqueue", gate.command, "--id", "runs", "--tag", "t");
    await q.ok("enqueue", "true", "--id", "other", "--delay", "1h");
    q.start("worker");
    await gate.reached();
    await q.with({ stdin: "a\nb\n" }, "enqueue", "--each", "echo {}", "--tag", "t", "--delay", "1h");
    const asked = await q("cancel", "--tag", "t");
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
    expect(await q.json("status")).toMatchObject({ pending: 3, processing: 1 });
    const { stderr } = await q("cancel", "--tag", "t", "--yes");
    expect(stderr).toBe("2 jobs are cancelled\n1 job that runs is being ended; --wait waits for it\n");
    await q("wait", "runs");
    expect(await q.json("status")).toMatchObject({ pending: 1, cancelled: 3, completed: 1 });
    expect(await q("cancel", "--tag", "t")).toMatchObject({ status: 0, stderr: "0 jobs are cancelled\n" });
  });

  test("--all --wait returns when none runs any more, the jobs of dead workers included", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "sleep 300 & echo $! > pid; wait", "--id", "job");
    const worker = q.start("worker");
    const pid = await pidIn(join(q.folder, "pid"));
    worker.kill("SIGKILL");
    await worker.exited;
    await q.ok("enqueue", "true", "--queue", "media");
    expect((await q("cancel", "--all", "--wait", "--yes")).stderr).toBe("2 jobs are cancelled\n");
    expect(isRunning(pid)).toBe(false);
    expect(await q.json("status")).toMatchObject({ cancelled: 2, total: 2 });
  });

  test("--queue asks at a terminal, and takes anything but yes for no", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--queue", "media");
    for (const [answer, cancelled] of [
      ["n", 0],
      ["y", 1],
    ] as const) {
      const cancel = atTerminal(q, ["cancel", "--queue", "media"]);
      await cancel.shows("Cancel 1 job? [y/N]");
      cancel.type(`${answer}\r`);
      expect(await cancel.exited()).toBe(1 - cancelled);
      expect(await q.json("status")).toMatchObject({ cancelled });
    }
  });

  test("a job that finished first keeps its result", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "job");
    const { status, stderr } = await q("cancel", "job");
    expect(status).toBe(1);
    expect(stderr).toContain("completed");
    expect(await q.json("show", "job")).toMatchObject({ state: "completed", attempts: 1 });
  });
});
