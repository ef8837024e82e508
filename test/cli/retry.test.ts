import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

describe.concurrent("retry", () => {
  test("runs completed, dead and cancelled jobs again; attempts count anew, their numbers go on", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    await q.ok("enqueue", "true", "--id", "completed");
    await q.ok("enqueue", "exit $((QUEUECTL_ATTEMPT - 2))", "--id", "dead");
    await q.ok("enqueue", "true", "--id", "cancelled");
    await q.ok("cancel", "cancelled");
    await q.ok("worker", "--until-empty");
    expect(await q.json("status")).toMatchObject({ completed: 1, dead: 1, cancelled: 1 });
    await q.ok("retry", "completed", "dead", "cancelled");
    expect(await q.json("status")).toMatchObject({ pending: 3, total: 3 });
    expect(await q.json("show", "dead")).toMatchObject({ state: "pending", attempts: 0, finished_at: null });
    await q.ok("worker", "--until-empty");
    const job = await q.json("show", "dead");
    expect(job).toMatchObject({ state: "completed", attempts: 1, last_error: null });
    expect(job.attempts_history.map(({ number }: { number: number }) => number)).toEqual([1, 2]);
  });

  test("runs a scheduled job and one that waits for its next retry now", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "1000");
    await q.ok("enqueue", "true", "--id", "scheduled", "--delay", "1h");
    await q.ok("enqueue", "[ $QUEUECTL_ATTEMPT = 2 ]", "--id", "failing");
    const worker = q.start("worker");
    await worker.says("job failing failed");
    await q.ok("retry", "scheduled", "failing");
    await worker.says("job scheduled completed");
    await worker.says("job failing completed");
  });

  test("--tag and --queue run again what is dead or cancelled, and nothing that completed or waits", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "completed", "--tag", "t");
    await q.ok("enqueue", "exit 3", "--id", "dead", "--tag", "t", "--max-retries", "0");
    await q.ok("enqueue", "true", "--id", "cancelled", "--tag", "t", "--delay", "1h");
    await q.ok("enqueue", "true", "--id", "media", "--queue", "media", "--delay", "1h");
    await q.ok("cancel", "cancelled", "media");
    await q.ok("worker", "--until-empty");
    await q.ok("enqueue", "true", "--id", "waits", "--tag", "t", "--delay", "1h");
    const asked = await q("retry", "--tag", "t");
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
    expect((await q("retry", "--tag", "t", "--yes")).stderr).toBe("2 jobs are pending again\n");
    expect(await q.json("status")).toMatchObject({ pending: 3, completed: 1, cancelled: 1 });
    expect((await q("retry", "--queue", "media", "--yes")).stderr).toBe("1 job is pending again\n");
    expect((await q.json("show", "waits")).next_run_at > new Date().toISOString()).toBe(true);
  });

  test("there is no retry of all jobs there are", async () => {
    await using q = queuectl();
    expect(await q("retry", "--all")).toMatchObject({ status: 2 });
    expect(await q("retry")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("retry which jobs? Say ids, or else --tag or --queue"),
    });
  });

  test("leaves a running job alone", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "job");
    q.start("worker");
    await gate.reached();
    const { status, stderr } = await q("retry", "job");
    expect(status).toBe(1);
    expect(stderr).toContain("processing");
    gate.open();
    await q.ok("wait", "job");
    expect((await q.json("show", "job")).attempts_history).toHaveLength(1);
  });
});
