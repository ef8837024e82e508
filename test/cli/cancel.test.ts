import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { isRunning, pidIn } from "../support/is-running.ts";
import { queuectl } from "../support/queuectl.ts";

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

  test("a job that finished first keeps its result", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "job");
    const { status, stderr } = await q("cancel", "job");
    expect(status).toBe(1);
    expect(stderr).toContain("completed");
    expect(await q.json("show", "job")).toMatchObject({ state: "completed", attempts: 1 });
  });
});
