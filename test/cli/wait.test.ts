import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(60_000);

describe.concurrent("wait", () => {
  test("returns with 0 when all are completed, and prints nothing", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", "true", "--id", "one");
    await q.ok("enqueue", gate.command, "--id", "two");
    const wait = q.start("wait", "one", "two");
    const worker = q.start("worker");
    await worker.says("job one completed");
    await gate.reached();
    gate.open();
    expect(await wait.exited).toBe(0);
    expect(wait.stdout() + wait.stderr()).toBe("");
    expect((await q.json("show", "two")).state).toBe("completed");
  });

  test("passes on how a job ended: its code, 128 and its signal, 124, 130", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    await q.ok("enqueue", "exit 7", "--id", "code");
    await q.ok("enqueue", "kill -KILL $$", "--id", "signal");
    await q.ok("enqueue", "sleep 60", "--id", "slow", "--timeout", "0.2");
    await q.ok("enqueue", "true", "--id", "stopped");
    await q.ok("cancel", "stopped");
    q.start("worker");
    expect((await q("wait", "code")).status).toBe(7);
    expect((await q("wait", "signal")).status).toBe(137);
    expect((await q("wait", "slow")).status).toBe(124);
    expect((await q("wait", "stopped")).status).toBe(130);
  });

  test("of several is the first that did not complete, in the order of the words", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "max_retries", "0");
    for (const [id, command] of [
      ["good", "true"],
      ["five", "exit 5"],
      ["six", "exit 6"],
    ]) {
      await q.ok("enqueue", command!, "--id", id!);
    }
    await q.ok("worker", "--until-empty");
    expect((await q("wait", "good", "six", "five")).status).toBe(6);
    expect((await q("wait", "five", "good", "six")).status).toBe(5);
    expect((await q("wait", "good", "good")).status).toBe(0);
  });

  test("ends with 124 when its own time is up, and leaves the job alone", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const { status, stdout, stderr } = await q("wait", "job", "--timeout", "0.2");
    expect({ status, stdout }).toEqual({ status: 124, stdout: "" });
    expect(stderr).not.toBe("");
    expect((await q.json("show", "job")).state).toBe("pending");
  });

  test("waits through retries", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.1");
    await q.ok("enqueue", "[ $QUEUECTL_ATTEMPT = 3 ]", "--id", "job");
    q.start("worker");
    expect((await q("wait", "job")).status).toBe(0);
    expect((await q.json("show", "job")).attempts).toBe(3);
  });

  test("is over when the job is deleted, with a word", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const wait = q.start("wait", "job");
    const other = q.start("worker", "--queue", "elsewhere");
    await other.says("waiting for jobs");
    await q.ok("delete", "job");
    expect(await wait.exited).toBe(1);
    await wait.says("there is no job job");
  });
});
