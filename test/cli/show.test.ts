import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { queuectl } from "../support/queuectl.ts";
import { atTerminal } from "../support/terminal.ts";

setDefaultTimeout(180_000);

describe.concurrent("show", () => {
  test("at a narrow terminal tells of each attempt how long ago it was and what it says, and nothing cut", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "exit 3", "--id", "job", "--max-retries", "0");
    await q.ok("worker", "--until-empty");
    for (const columns of [60, 80]) {
      const show = atTerminal(q, ["show", "job"], { columns, env: { NO_COLOR: "1" } });
      expect(await show.exited()).toBe(0);
      const table = show.shown().slice(show.shown().indexOf("ATTEMPT  RESULT"));
      expect(table).toMatch(/exit 3 +\d+ s ago .*exit status 3/);
      expect(table).not.toContain("…");
    }
  });

  test("in JSON is the job and each of its attempts", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0");
    await q.ok("enqueue", "echo attempt $QUEUECTL_ATTEMPT; exit 3", "--id", "job", "--max-retries", "1");
    await q.ok("worker", "--until-empty");
    const job = await q.json("show", "job");
    expect(job).toMatchObject({
      id: "job",
      state: "dead",
      attempts: 2,
      last_exit_code: 3,
      last_error: "exit status 3",
      next_run_at: null,
      worker_id: null,
    });
    expect(job.last_duration).toBeGreaterThanOrEqual(0);
    expect(job.attempts_history).toHaveLength(2);
    for (const [index, attempt] of job.attempts_history.entries()) {
      expect(attempt.number).toBe(index + 1);
      expect(attempt).toMatchObject({
        result: "exited",
        exit_code: 3,
        signal: null,
        error: "exit status 3",
        host: hostname(),
        charged: true,
        log_bytes: "attempt 1\n".length,
        log_truncated: false,
      });
      expect(attempt.worker_id).toMatch(/^worker-/);
      expect(attempt.pid).toBeGreaterThan(0);
      expect(attempt.duration).toBeGreaterThanOrEqual(0);
      expect(attempt.cpu_time).toBeGreaterThanOrEqual(0);
      expect(Date.parse(attempt.finished_at)).toBeGreaterThanOrEqual(Date.parse(attempt.started_at));
      expect(readFileSync(attempt.log, "utf8")).toBe(`attempt ${index + 1}\n`);
    }
  });

  test("for people names the same facts", async () => {
    await using q = queuectl();
    await q.ok("run", "exit 3", "--id", "job", "--max-retries", "0").catch(() => {});
    const text = await q.ok("show", "job");
    for (const fact of ["job", "exit 3", "dead", "exit status 3"]) expect(text).toContain(fact);
  });

  test("finds a job by any unambiguous beginning of its id; an exact id beats a beginning", async () => {
    await using q = queuectl();
    for (const id of ["build", "build-2", "build-3x", "other"]) await q.ok("enqueue", "true", "--id", id);
    expect((await q.json("show", "o")).id).toBe("other");
    expect((await q.json("show", "build")).id).toBe("build");
    expect((await q.json("show", "build-3")).id).toBe("build-3x");
    const { status, stdout, stderr } = await q("show", "build-", "--json");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("build-2");
  });

  test("a letter of another case is another letter", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "Build");
    await q.ok("enqueue", "false", "--id", "build");
    expect((await q.json("show", "Build")).command).toBe("true");
    expect((await q("show", "BUILD")).status).toBe(1);
  });
});

describe.concurrent("help", () => {
  test("every command has its own, on stdout, with exit status 0", async () => {
    await using q = queuectl();
    const commands = [
      "enqueue",
      "run",
      "worker",
      "worker start",
      "worker stop",
      "worker list",
      "worker logs",
      "status",
      "list",
      "show",
      "logs",
      "wait",
      "cancel",
      "retry",
      "delete",
      "dlq list",
      "dlq retry",
      "dlq retry-all",
      "dlq delete",
      "dlq purge",
      "config show",
      "config list",
      "config get",
      "config set",
      "config unset",
    ];
    for (const command of commands) {
      const { status, stdout, stderr } = await q(...command.split(" "), "--help");
      expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: "" });
      expect(stdout).toContain(`queuectl ${command === "config list" ? "config show" : command}`);
    }
  });
});

test("help for a group names all of its commands", async () => {
  await using q = queuectl();
  for (const words of [
    ["dlq", "--help"],
    ["help", "dlq"],
  ]) {
    const help = await q.ok(...words);
    for (const verb of ["list", "retry", "retry-all", "delete", "purge"])
      expect(help).toContain(`dlq ${verb}`);
    expect(help).toContain("dlq delete <id…>");
  }
});
