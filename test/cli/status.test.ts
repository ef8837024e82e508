import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";
import { atTerminal, ctrlC } from "../support/terminal.ts";

setDefaultTimeout(180_000);

describe.concurrent("status", () => {
  test("of an empty queue has zeros, and null where nothing can be said yet", async () => {
    await using q = queuectl();
    expect(await q.json("status")).toMatchObject({
      pending: 0,
      processing: 0,
      completed: 0,
      failed: 0,
      dead: 0,
      cancelled: 0,
      total: 0,
      active_workers: 0,
      success_runs: 0,
      failed_runs: 0,
      success_rate: null,
      avg_duration: null,
    });
    expect((await q("status")).status).toBe(0);
  });

  test("is one flat object whose rate is that of completed among completed and dead", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0");
    for (const command of ["sleep 0.1", "sleep 0.1", "sleep 0.1"]) await q.ok("enqueue", command);
    await q.ok("enqueue", "false", "--max-retries", "3");
    await q.ok("enqueue", "true", "--id", "stopped");
    await q.ok("cancel", "stopped");
    await q.ok("worker", "--until-empty", "--count", "2");
    const status = await q.json("status");
    for (const value of Object.values(status)) expect(value === null || typeof value === "number").toBe(true);
    expect(status).toMatchObject({
      completed: 3,
      dead: 1,
      cancelled: 1,
      total: 5,
      success_runs: 3,
      failed_runs: 4,
      success_rate: 0.75,
    });
    expect(status.avg_duration).toBeGreaterThanOrEqual(0.1);
  });

  test("counts workers, not processes", async () => {
    await using q = queuectl();
    await q.ok("worker", "--detach", "--count", "3");
    expect((await q.json("status")).active_workers).toBe(3);
    await q.ok("worker", "stop", "--wait");
    expect((await q.json("status")).active_workers).toBe(0);
  });

  test("lifetime figures do not fall when jobs are deleted; counts are of jobs present", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "good");
    await q("run", "false", "--id", "bad", "--max-retries", "0");
    await q.ok("delete", "good", "bad");
    expect(await q.json("status")).toMatchObject({
      total: 0,
      completed: 0,
      dead: 0,
      success_runs: 1,
      failed_runs: 1,
      success_rate: null,
      avg_duration: null,
    });
  });

  test("plain rows name each figure", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true");
    const { stdout } = await q("status");
    expect(stdout).toMatch(/^pending\s+1$/m);
    expect(stdout).toMatch(/^total\s+1$/m);
    expect(stdout).not.toContain("\x1b");
  });
});

test("--watch shows what changes, and leaves the terminal as it was on Ctrl-C", async () => {
  await using q = queuectl();
  const gate = makeGate(q);
  const view = atTerminal(q, ["status", "--watch"], { env: { NO_COLOR: "1" } });
  await view.shows("pending           0");
  await q.ok("enqueue", gate.command, "--id", "watched");
  await view.shows("pending           1");
  q.start("worker");
  await gate.reached();
  await view.shows("watched ");
  view.type(ctrlC);
  expect(await view.exited()).toBe(0);
  expect(view.shown()).toEndWith("\u001b[?25h\u001b[?1049l");
  gate.open();
});

test("--watch is for a terminal", async () => {
  await using q = queuectl();
  expect(await q("status", "--watch")).toMatchObject({ status: 2, stdout: "" });
});
