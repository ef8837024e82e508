import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

describe.concurrent("delete", () => {
  test("removes jobs with their history and logs, and frees their ids", async () => {
    await using q = queuectl();
    await q.ok("run", "echo old", "--id", "one");
    await q.ok("enqueue", "true", "--id", "two");
    const { attempts_history: runs } = await q.json("show", "one");
    expect(existsSync(runs[0].log)).toBe(true);
    await q.ok("delete", "one", "two");
    expect(await q.json("list")).toEqual([]);
    expect(existsSync(runs[0].log)).toBe(false);

    await q.ok("enqueue", "echo new", "--id", "one");
    await q.ok("worker", "--until-empty");
    expect(await q.ok("logs", "one")).toBe("new");
    expect((await q.json("show", "one")).attempts_history).toHaveLength(1);
  });

  test("--tag removes all with the label but those that run, and says how many are left", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("run", "echo old", "--id", "done", "--tag", "t");
    const [{ log }] = (await q.json("show", "done")).attempts_history;
    await q.ok("enqueue", gate.command, "--id", "runs", "--tag", "t");
    q.start("worker");
    await gate.reached();
    await q.ok("enqueue", "true", "--id", "waits", "--tag", "t", "--delay", "1h");
    await q.ok("enqueue", "true", "--id", "other", "--delay", "1h");
    const asked = await q("delete", "--tag", "t");
    expect(asked).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
    const { status, stderr } = await q("delete", "--tag", "t", "--yes");
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: "2 jobs are deleted\n1 job is left because it runs; queuectl cancel stops it first\n",
    });
    expect(existsSync(log)).toBe(false);
    const left: { id: string }[] = await q.json("list");
    expect(left.map(({ id }) => id)).toEqual(["other", "runs"]);
    gate.open();
    await q.ok("wait", "runs");
    expect((await q("delete", "--all", "--yes")).stderr).toBe("2 jobs are deleted\n");
  });

  test("of a running job is refused, and of the others named with it too", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", gate.command, "--id", "running");
    await q.ok("enqueue", "true", "--id", "waiting", "--delay", "1h");
    q.start("worker");
    await gate.reached();
    const { status, stdout, stderr } = await q("delete", "waiting", "running");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("running");
    expect(await q.json("status")).toMatchObject({ pending: 1, processing: 1 });
    gate.open();
    await q.ok("wait", "running");
    await q.ok("delete", "waiting", "running");
    expect((await q.json("status")).total).toBe(0);
  });
});
