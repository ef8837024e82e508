// stdout and stderr kept apart, in two files that the command writes to itself.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { postgres } from "../support/temp-postgres.ts";
import { waitUntil } from "../support/wait-until.ts";
import { webServer } from "../support/web-server.ts";

setDefaultTimeout(180_000);

const command = "echo one; echo two >&2; echo three; printf four >&2";
const apart = { stdout: "one\nthree\n", stderr: "two\nfour" };

describe.concurrent("a job that keeps its output apart", () => {
  test("has both as they were written, each by itself or each to where it belongs", async () => {
    await using q = queuectl();
    await q.ok("enqueue", command, "--id", "a", "--split");
    await q.ok("worker", "--until-empty", "--quiet");
    expect(await q("logs", "a")).toEqual({ status: 0, ...apart });
    expect(await q("logs", "a", "--follow")).toEqual({ status: 0, ...apart });
    for (const follow of [[], ["--follow"]]) {
      expect((await q("logs", "a", "--stdout", ...follow)).stdout).toBe(apart.stdout);
      expect(await q("logs", "a", "--stderr", ...follow)).toEqual({
        status: 0,
        stdout: apart.stderr,
        stderr: "",
      });
    }
    const [{ log, stderr_log, log_bytes }] = (await q.json("show", "a")).attempts_history;
    expect(readFileSync(log, "utf8")).toBe(apart.stdout);
    expect(readFileSync(stderr_log, "utf8")).toBe(apart.stderr);
    expect(log_bytes).toBe(apart.stdout.length + apart.stderr.length);
  });

  test("is run with its stderr on stderr, and both come while it runs", async () => {
    await using q = queuectl();
    const { stdout, stderr } = await shell(q, `queuectl run --split '${command}' 2>err; cat err >&2`);
    expect({ stdout: stdout.toString(), stderr }).toEqual(apart);
    const go = join(q.folder, "go");
    const run = q.start("run", `echo a; echo b >&2; until [ -e ${go} ]; do sleep 0.02; done`, "--split");
    await waitUntil("both are there", () => run.stdout() === "a\n" && run.stderr() === "b\n");
    writeFileSync(go, "");
    expect(await run.exited).toBe(0);
  });

  test("keeps it where its worker dies and another takes the command over", async () => {
    await using q = queuectl();
    const go = join(q.folder, "go");
    await q.ok(
      "enqueue",
      `echo a; echo b >&2; until [ -e ${go} ]; do sleep 0.02; done; ${command}`,
      "--id",
      "a",
      "--split",
    );
    const worker = q.start("worker");
    await waitUntil("it writes", async () => (await q("logs", "a", "--stderr")).stdout === "b\n");
    worker.kill("SIGKILL");
    await worker.exited;
    const next = q.start("worker");
    await next.says("took over job a");
    writeFileSync(go, "");
    expect((await q("wait", "a")).status).toBe(0);
    expect(await q("logs", "a")).toMatchObject({
      stdout: `a\n${apart.stdout}`,
      stderr: `b\n${apart.stderr}`,
    });
  });

  test("shares the limit between the two, and loses neither to the other", async () => {
    await using q = queuectl({ QUEUECTL_LOG_LIMIT: "8k" });
    await q.ok("run", "head -c 100000 /dev/zero; echo small >&2", "--id", "a", "--split");
    const [attempt] = (await q.json("show", "a")).attempts_history;
    expect(attempt).toMatchObject({ log_bytes: 4096 + 6, log_truncated: true });
    expect((await q("logs", "a", "--stderr")).stdout).toBe("small\n");
  });

  test("takes both files with it when it is deleted", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "a", "--split");
    const [{ log, stderr_log }] = (await q.json("show", "a")).attempts_history;
    expect([existsSync(log), existsSync(stderr_log)]).toEqual([true, true]);
    expect((await q("doctor")).stdout).not.toContain("no more");
    await q.ok("delete", "a");
    expect([existsSync(log), existsSync(stderr_log)]).toEqual([false, false]);
  });
});

test("one that does not is not asked for one of the two", async () => {
  await using q = queuectl();
  await q.ok("run", "true", "--id", "a");
  expect(await q("logs", "a", "--stderr")).toMatchObject({
    status: 1,
    stderr: "queuectl: job a has its output in one piece (enqueue --split keeps it apart)\n",
  });
  expect((await q("logs", "a", "--stderr", "--stdout")).status).toBe(2);
  expect((await q("enqueue", '{"command": "true", "split": "yes"}')).status).toBe(2);
});

test("the dashboard shows the one or the other", async () => {
  await using web = await webServer();
  await web.api("POST", "/jobs", { id: "a", command: "echo to-out; echo to-err >&2", split: true });
  await web.q.ok("worker", "--until-empty", "--quiet");
  const page = async (path: string) => (await web.get(path)).text();
  const [out, error] = [await page("/jobs/a"), await page("/jobs/a?stream=stderr")];
  expect([out.includes(">to-out<"), out.includes(">to-err<")]).toEqual([true, false]);
  expect([error.includes(">to-out<"), error.includes(">to-err<")]).toEqual([false, true]);
  expect(await page("/jobs/a/log?stream=stderr")).toBe("to-err\n");
  expect(await page("/jobs/a/log")).toBe("to-out\n");
  expect(await page("/jobs/a/log/stream?stream=stderr")).toContain("to-err");
  expect((await web.get("/jobs/a?stream=stdin")).status).toBe(404);
});

describe.skipIf(postgres.missing !== undefined)("on PostgreSQL a job that keeps its output apart", () => {
  test("has both on every machine, while it runs and when it has ended", async () => {
    await using database = await postgres.makeDatabase();
    await using near = queuectl(database.environment);
    await using far = queuectl(database.environment);
    const gate = makeGate(near);
    await far.ok("enqueue", `${command}; ${gate.command}; echo end; echo end >&2`, "--id", "a", "--split");
    near.start("worker");
    await waitUntil("both are there", async () => {
      const { stdout, stderr } = await far("logs", "a");
      return stdout === apart.stdout && stderr === apart.stderr;
    });
    const follow = far.start("logs", "a", "--follow");
    gate.open();
    expect(await follow.exited).toBe(0);
    const whole = { stdout: `${apart.stdout}end\n`, stderr: `${apart.stderr}end\n` };
    expect({ stdout: follow.stdout(), stderr: follow.stderr() }).toEqual(whole);
    expect((await far("logs", "a", "--stderr")).stdout).toBe(whole.stderr);
    const [{ log_bytes }] = (await far.json("show", "a")).attempts_history;
    expect(log_bytes).toBe(whole.stdout.length + whole.stderr.length);
  });

  test("goes on where it stopped when its worker is killed", async () => {
    await using database = await postgres.makeDatabase();
    await using q = queuectl(database.environment);
    const gate = makeGate(q);
    await q.ok("enqueue", `echo a; echo b >&2; ${gate.command}; ${command}`, "--id", "a", "--split");
    const worker = q.start("worker");
    await waitUntil("it writes", async () => (await q("logs", "a", "--stderr")).stdout === "b\n");
    worker.kill("SIGKILL");
    await worker.exited;
    const next = q.start("worker");
    await next.says("took over job a");
    gate.open();
    expect((await q("wait", "a")).status).toBe(0);
    expect(await q("logs", "a")).toMatchObject({
      stdout: `a\n${apart.stdout}`,
      stderr: `b\n${apart.stderr}`,
    });
  });

  test("keeps it apart when it moves to SQLite and back", async () => {
    await using database = await postgres.makeDatabase();
    await using q = queuectl(database.environment);
    await q.ok("run", command, "--id", "a", "--split");
    await q.ok("migrate", "--to", "sqlite");
    const there = { env: { QUEUECTL_DATABASE_URL: "" } };
    expect(await q.with(there, "logs", "a")).toMatchObject(apart);
    await using other = await postgres.makeDatabase();
    const url = other.environment.QUEUECTL_DATABASE_URL!;
    expect((await q.with(there, "migrate", "--to", url)).status).toBe(0);
    expect(await q.with({ env: { QUEUECTL_DATABASE_URL: url } }, "logs", "a")).toMatchObject(apart);
  });
});
