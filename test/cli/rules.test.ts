// What a job says itself of its exit statuses and its delays, as real commands meet it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

describe.concurrent("a job that says which exit statuses", () => {
  test("are success completes by them, and run exits with 0", async () => {
    await using q = queuectl();
    expect(await q("run", "exit 3", "--success-on", "0,3")).toEqual({ status: 0, stdout: "", stderr: "" });
    const [{ id }] = await q.json("list");
    const { state, last_exit_code, last_error, success_on, attempts_history } = await q.json("show", id);
    expect({ state, last_exit_code, last_error, success_on }).toEqual({
      state: "completed",
      last_exit_code: 3,
      last_error: null,
      success_on: "0,3",
    });
    expect(attempts_history[0]).toMatchObject({ result: "exited", exit_code: 3, error: null });
    expect((await q("wait", id)).status).toBe(0);
    expect(await q.json("status")).toMatchObject({ success_runs: 1, failed_runs: 0 });
  });

  test("are success fails with 0 where the list leaves it out", async () => {
    await using q = queuectl();
    const { status, stderr } = await q("run", "exit 0", "--success-on", "1", "--max-retries", "0");
    expect(stderr).toContain("exit status 0");
    expect(status).toBe(1);
    expect((await q.json("list"))[0]).toMatchObject({ state: "dead", last_exit_code: 0 });
  });

  test("are success by a timeout has done what it should", async () => {
    await using q = queuectl();
    const { status } = await q("run", "sleep 60", "--timeout", "0.3", "--success-on", "0,124");
    expect(status).toBe(0);
    expect((await q.json("list"))[0]).toMatchObject({ state: "completed", last_exit_code: 124 });
  });

  test("are worth a retry dies at once of others", async () => {
    await using q = queuectl();
    const { status, stderr } = await q("run", "exit 1", "--retry-on", "75", "--backoff-base", "0");
    expect(status).toBe(1);
    expect(stderr).toContain("after 0 retries: exit status 1: retry_on does not name it");
    const again = await q("run", "exit 75", "--retry-on", "75", "--backoff-base", "0", "--max-retries", "2");
    expect(again.status).toBe(75);
    expect((await q.json("list", "--limit", "1"))[0].attempts).toBe(3);
  });

  test("kill it at once dies of them", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "kill -SEGV $$", "--id", "a", "--dead-on", "139");
    await q.ok("worker", "--until-empty", "--quiet");
    expect(await q.json("show", "a")).toMatchObject({ state: "dead", attempts: 1, last_exit_code: 139 });
  });
});

test("a job's own backoff decides when its retry comes", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "exit 1", "--id", "a", "--backoff", "linear", "--backoff-base", "5m");
  const worker = q.start("worker");
  await worker.says("will retry in 5m");
  const { backoff, backoff_base, next_run_at, updated_at } = await q.json("show", "a");
  expect({ backoff, backoff_base }).toEqual({ backoff: "linear", backoff_base: 300 });
  expect(Date.parse(next_run_at) - Date.parse(updated_at)).toBe(300_000);
  expect(await q.ok("show", "a")).toContain("linear, 5m × n");
});

test("a job in JSON says the same, also as it was printed", async () => {
  await using q = queuectl();
  const job = { command: "true", retry_on: [75, "100-110"], dead_on: 2, backoff: "fixed", backoff_base: 90 };
  const id = await q.ok("enqueue", JSON.stringify(job));
  const printed = await q.json("show", id);
  expect(printed).toMatchObject({ retry_on: "75,100-110", dead_on: "2", backoff_base: 90 });
  const again = await q.ok("enqueue", JSON.stringify({ ...printed, id: "again" }), "--dead-on", "3");
  expect(await q.json("show", again)).toMatchObject({ retry_on: "75,100-110", dead_on: "3" });
});

test("a schedule's jobs have its rules", async () => {
  await using q = queuectl();
  await q.ok("schedule", "add", "nightly", "@daily", "true", "--success-on", "0-3");
  expect((await q.json("schedule", "show", "nightly")).job.success_on).toBe("0-3");
  const id = await q.ok("schedule", "run", "nightly");
  expect((await q.json("show", id)).success_on).toBe("0-3");
});

test.each([
  [["--retry-on", "1-300"], 'retry_on cannot be "1-300": it is exit statuses from 0 to 255'],
  [["--retry-on", "7", "--dead-on", "5-9"], "7 stands in retry_on and in dead_on"],
  [["--dead-on", "0"], "0 stands in dead_on, and is success"],
  [["--backoff", "slow"], 'backoff cannot be "slow": it is exponential, linear, fixed'],
  [["--backoff-base", "soon"], '--backoff-base cannot be "soon"'],
  [["--backoff-base", "20m"], "backoff_base cannot be 1200 (20m): where delays are exponential it is"],
  [["--backoff-base", "20m"], "a length of time takes the backoff fixed or linear"],
  [["--backoff-base", "9000d", "--backoff", "fixed"], "(9000d): it is 0 to 3660d"],
  [["--unique-for", "400d"], "unique_for cannot be 34560000 (400d): it is 0 to 366d"],
  [["--backoff-max", "100000d"], "backoff_max cannot be 8640000000 (100000d): it is"],
  [['{"command": "true", "retry_on": {}}'], "retry_on: must be exit statuses"],
  [['{"command": "true", "backoff": 1}'], "backoff must be a string, not 1"],
])("wrong use is told: %j", async (words, message) => {
  await using q = queuectl();
  const { status, stderr } = await q("enqueue", ...(words.length === 1 ? [] : ["true"]), ...words);
  expect({ status, stdout: stderr.split("\n").length }).toEqual({ status: 2, stdout: 2 });
  expect(stderr).toContain(message);
});
