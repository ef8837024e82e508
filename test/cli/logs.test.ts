import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeGate } from "../support/gate.ts";
import { queuectl } from "../support/queuectl.ts";
import { shell } from "../support/shell.ts";
import { atTerminal } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

describe.concurrent("logs", () => {
  test("are the newest attempt's output, or that of the one asked for", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0");
    await q.ok("enqueue", "echo attempt $QUEUECTL_ATTEMPT; false", "--id", "job", "--max-retries", "2");
    await q.ok("worker", "--until-empty");
    expect(await q.ok("logs", "job")).toBe("attempt 3");
    for (const n of ["1", "2", "3"]) expect(await q.ok("logs", "job", "--attempt", n)).toBe(`attempt ${n}`);
  });

  test("are both streams, in order and byte for byte", async () => {
    await using q = queuectl();
    const bytes = Buffer.from(Array.from({ length: 1024 }, (_, index) => (index * 7) % 256));
    writeFileSync(join(q.folder, "bytes"), bytes);
    await q.ok("enqueue", "echo out; echo err >&2; cat bytes", "--id", "job");
    await q.ok("worker", "--until-empty");
    const { stdout, stderr } = await shell(q, "queuectl logs job");
    expect(stdout.equals(Buffer.concat([Buffer.from("out\nerr\n"), bytes]))).toBe(true);
    expect(stderr).toBe("");
  });

  test("that were removed are said to be gone, and of a job that printed nothing there is nothing to say", async () => {
    await using q = queuectl();
    await q.ok("run", "echo hi", "--id", "loud");
    await q.ok("run", "echo out", "--split", "--id", "apart");
    await q.ok("run", "true", "--id", "silent");
    const paths: string[] = [];
    for (const id of ["loud", "apart", "silent"]) {
      const { attempts_history } = await q.json("show", id);
      paths.push(attempts_history[0].log);
      rmSync(attempts_history[0].log);
    }
    const [loud, apart] = paths;
    const gone = { status: 0, stdout: "", stderr: `the output is gone: there is no ${loud}\n` };
    expect(await q("logs", "loud")).toEqual(gone);
    expect(await q("logs", "loud", "--follow", "--lines", "3")).toEqual(gone);
    expect((await q("logs", "apart")).stderr).toBe(`the output is gone: there is no ${apart}\n`);
    expect(await q("logs", "silent")).toMatchObject({ stdout: "", stderr: "" });
    const several = `the output of loud is gone: there is no ${loud}\n`;
    expect((await q("logs", "loud", "silent")).stderr).toBe(several);
    expect((await q("logs", "loud", "silent", "--follow")).stderr).toBe(several);
  });

  test("can be read while the command runs", async () => {
    await using q = queuectl();
    const gate = makeGate(q);
    await q.ok("enqueue", `echo first; ${gate.command}; echo second`, "--id", "job");
    q.start("worker");
    await gate.reached();
    expect(await q.ok("logs", "job")).toBe("first");
    const follow = q.start("logs", "job", "--follow");
    await waitUntil("the first line is shown", () => follow.stdout() === "first\n");
    gate.open();
    expect(await follow.exited).toBe(0);
    expect(follow.stdout()).toBe("first\nsecond\n");
  });

  test("--follow waits for a job that has not begun, and goes on through its retries", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.1");
    const gate = makeGate(q);
    const command = `echo attempt $QUEUECTL_ATTEMPT; ${gate.command}; false`;
    await q.ok("enqueue", command, "--id", "job", "--max-retries", "2");
    const follow = q.start("logs", "job", "--follow");
    q.start("worker", "--until-empty");
    await waitUntil("it follows", () => follow.stdout() === "attempt 1\n");
    gate.open();
    expect(await follow.exited).toBe(0);
    expect(follow.stdout()).toBe("attempt 1\nattempt 2\nattempt 3\n");
  });

  test("--follow of a job that is over shows it and ends", async () => {
    await using q = queuectl();
    await q.ok("run", "echo hello", "--id", "job");
    expect(await q.ok("logs", "job", "--follow")).toBe("hello");
  });

  test("of a job that printed nothing are nothing", async () => {
    await using q = queuectl();
    await q.ok("run", "true", "--id", "job");
    expect(await q("logs", "job")).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("of a job that has not run are nothing, and that is said", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "true", "--id", "job");
    const { status, stdout, stderr } = await q("logs", "job");
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toContain("pending");
  });

  test("beyond the limit are cut, which is told on stderr and not in them", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "log_limit", "64KiB");
    await q.ok("run", "head -c 1000000 /dev/zero", "--id", "job");
    const { stdout, stderr } = await shell(q, "queuectl logs job");
    expect(stdout.equals(Buffer.alloc(64 * 1024))).toBe(true);
    expect(stderr).toContain("log_limit");
    const { attempts_history: runs } = await q.json("show", "job");
    expect(runs[0]).toMatchObject({ log_bytes: 64 * 1024, log_truncated: true });
  });

  test("--lines shows the last ones, however long the output and its lines are", async () => {
    await using q = queuectl();
    const long = "x".repeat(600_000);
    const command = `seq 200000; head -c 600000 /dev/zero | tr '\\0' x; echo; printf 'no end'`;
    await q.ok("run", command, "--id", "job");
    expect(await q.ok("logs", "job", "--lines", "1")).toBe("no end");
    expect(await q.ok("logs", "job", "-n", "2")).toBe(`${long}\nno end`);
    expect(await q.ok("logs", "job", "--lines", "3")).toBe(`200000\n${long}\nno end`);
    expect((await q.ok("logs", "job", "--lines", "1000000")).split("\n")).toHaveLength(200_002);
    expect(await q("logs", "job", "--lines", "0")).toEqual({ status: 0, stdout: "", stderr: "" });
    expect((await q("logs", "job", "--lines", "few")).status).toBe(2);
  });

  test("--lines counts on both sides of what was left out", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "log_limit", "64KiB");
    await q.ok("enqueue", "seq 100000", "--id", "job");
    await q.ok("worker", "--until-empty");
    const whole = await q("logs", "job");
    const lines = whole.stdout.split("\n");
    const told = (text: string) => text.includes("left out here");
    expect(told(whole.stderr)).toBe(true);
    const last = await q("logs", "job", "--lines", "2");
    expect(last).toEqual({ status: 0, stdout: "99999\n100000\n", stderr: "" });
    const all = await q("logs", "job", "--lines", String(lines.length - 2));
    expect(all.stdout).toBe(lines.slice(1).join("\n"));
    expect(told(all.stderr)).toBe(true);
  });

  test("-f -n begins with the last lines, and shows later attempts whole", async () => {
    await using q = queuectl();
    await q.ok("config", "set", "backoff_base", "0.1");
    const gate = makeGate(q);
    const command = `seq 5; ${gate.command}; echo end; [ $QUEUECTL_ATTEMPT = 2 ]`;
    await q.ok("enqueue", command, "--id", "job");
    q.start("worker");
    await gate.reached();
    const follow = q.start("logs", "job", "-f", "-n", "2");
    await waitUntil("it follows", () => follow.stdout() === "4\n5\n");
    gate.open();
    expect(await follow.exited).toBe(0);
    expect(follow.stdout()).toBe("4\n5\nend\n1\n2\n3\n4\n5\nend\n");
  });

  test("a reader that leaves early is no trouble", async () => {
    await using q = queuectl();
    await q.ok("enqueue", "seq 200000", "--id", "job");
    await q.ok("worker", "--until-empty");
    for (const options of ["", "--follow"]) {
      const { stdout, stderr } = await shell(q, `queuectl logs job ${options} | head -1`);
      expect({ stdout: stdout.toString(), stderr }).toEqual({ stdout: "1\n", stderr: "" });
    }
  });
});

test("at a terminal keep their colours, and steer it no further; in a pipe they are what the command wrote", async () => {
  await using q = queuectl();
  const written = "\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b[2J\x1b]8;;http://evil\x1b\\link\u202e back\n";
  const file = join(q.folder, "hostile");
  writeFileSync(file, `${written}no end`);
  await q.ok("enqueue", "--id", "job", "--", "cat", file);
  await q.ok("worker", "--until-empty");
  expect(await q.ok("logs", "job")).toBe(`${written}no end`);
  for (const words of [
    ["logs", "job"],
    ["logs", "job", "--follow"],
  ]) {
    const terminal = atTerminal(q, words);
    expect(await terminal.exited()).toBe(0);
    expect(terminal.shown()).toBe("\x1b[38;5;1mred\x1b[0m link<U+202E> back\r\nno end");
  }
});
