// What was done is said by the whole name, also where stderr is no terminal: what was typed may be the beginning of an id alone.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

describe.concurrent("what was done is said", () => {
  test("of jobs that are cancelled and deleted", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "report-1");
    expect(await q("cancel", "rep")).toEqual({
      status: 0,
      stdout: "",
      stderr: "job report-1 is cancelled\n",
    });
    expect(await q("delete", "rep")).toEqual({ status: 0, stdout: "", stderr: "job report-1 is deleted\n" });
  });

  test("of a dead letter that is deleted", async () => {
    await using q = queuectl();
    await q("run", "false", "--id", "report-1", "--max-retries", "0");
    expect((await q("dlq", "delete", "rep")).stderr).toBe("job report-1 is deleted\n");
  });

  test("of a schedule that is deleted", async () => {
    await using q = queuectl();
    await q.ok("schedule", "add", "nightly", "@daily", "true");
    expect((await q("schedule", "delete", "nightly")).stderr).toBe("schedule nightly is deleted\n");
  });

  test("of workers that are asked to go, and of those that are gone", async () => {
    await using q = queuectl();
    const first = await q.ok("worker", "--detach");
    const asked = await q("worker", "stop");
    expect(asked.stderr).toBe(`${first} is asked to go when its job is done; --wait returns then\n`);
    await waitUntil("it is gone", async () => (await q.json("worker", "list")).length === 0);
    const second = await q.ok("worker", "--detach");
    expect((await q("worker", "stop", "--wait")).stderr).toBe(`${second} is gone\n`);
    await q.ok("worker", "--detach", "--count", "4");
    expect((await q("worker", "stop", "--wait")).stderr).toBe("4 workers are gone\n");
  });
});
