// Promise 6: output is kept whole and in order, stdout and stderr together, byte for byte up to a limit; that it was cut is a
// fact that readers show, not a line written into it. It can be read while the command runs.

import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(60_000);

/** The bytes in the log of a job's newest attempt. */
async function logOf(q: Queuectl, id: string): Promise<Buffer> {
  const { attempts_history } = await q.json("show", id);
  return readFileSync(attempts_history.at(-1).log);
}

test("stdout and stderr are kept in the order in which they were written", async () => {
  await using q = queuectl();
  const numbers = Array.from({ length: 500 }, (_, n) => n);
  await q.ok(
    "enqueue",
    "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); echo $i >&2; i=$((i+1)); done",
    "--id",
    "a",
  );
  await q.ok("worker", "--until-empty");
  const expected = [...numbers.map((n) => 2 * n), ...numbers.map((n) => 2 * n + 1)]
    .filter((n) => n < 500)
    .sort((a, b) => a - b);
  expect((await q.ok("logs", "a")).split("\n").map(Number)).toEqual(expected);
});

test("every byte is kept, also those that are no text", async () => {
  await using q = queuectl();
  const bytes = Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 7) % 256));
  const file = join(q.folder, "bytes");
  writeFileSync(file, bytes);
  await q.ok("enqueue", "--id", "a", "--", "cat", file);
  await q.ok("worker", "--until-empty");
  expect((await logOf(q, "a")).equals(bytes)).toBe(true);
});

test("50 MB are kept whole", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "yes 0123456789abcde | head -c 52428800", "--id", "a");
  await q.ok("worker", "--until-empty");
  const log = await logOf(q, "a");
  expect(log.length).toBe(52_428_800);
  expect(log.subarray(-16).toString()).toBe("0123456789abcde\n");
});

test("beyond the limit the beginning is kept, and readers are told on stderr", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "log_limit", "100KiB");
  await q.ok("enqueue", "yes | head -c 10000000; echo end", "--id", "a");
  await q.ok("worker", "--until-empty");
  const { stdout, stderr } = await q("logs", "a");
  expect(stdout.length).toBe(102_400);
  expect(stdout).toMatch(/^(y\n)+$/);
  expect(stderr).toContain("cut at 100 KiB");
  expect((await q.json("show", "a")).attempts_history[0]).toMatchObject({
    log_bytes: 102_400,
    log_truncated: true,
  });
});

test("a command that never ends cannot fill the disk", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "log_limit", "64KiB");
  await q.ok("enqueue", "yes", "--id", "a", "--timeout", "2", "--max-retries", "0");
  await q.ok("worker", "--until-empty");
  expect((await q.json("show", "a")).attempts_history[0]).toMatchObject({
    log_bytes: 65_536,
    log_truncated: true,
  });
});

test("output can be read while the command runs", async () => {
  await using q = queuectl();
  const go = join(q.folder, "go");
  await q.ok("enqueue", `echo early; until [ -e '${go}' ]; do sleep 0.02; done; echo late`, "--id", "a");
  q.start("worker");
  await waitUntil("the first line is there", async () => (await q.ok("logs", "a")) === "early");
  const follower = q.start("logs", "a", "--follow");
  await waitUntil("it follows", () => follower.stdout() === "early\n");
  writeFileSync(go, "");
  expect(await follower.exited).toBe(0);
  expect(follower.stdout()).toBe("early\nlate\n");
});

test("each attempt has its own log, and only its owner may read it", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "backoff_base", "0");
  await q.ok("enqueue", "echo attempt $QUEUECTL_ATTEMPT; exit 1", "--id", "a", "--max-retries", "2");
  await q.ok("worker", "--until-empty");
  for (const number of ["1", "2", "3"])
    expect(await q.ok("logs", "a", "--attempt", number)).toBe(`attempt ${number}`);
  const { attempts_history } = await q.json("show", "a");
  const { mode } = await Bun.file(attempts_history[0].log).stat();
  expect(mode & 0o777).toBe(0o600);
});

test("a command that prints nothing has an empty log", async () => {
  await using q = queuectl();
  await q.ok("enqueue", "true", "--id", "a");
  await q.ok("worker", "--until-empty");
  expect(await q.ok("logs", "a")).toBe("");
});

test("a script's last words before a signal are kept", async () => {
  await using q = queuectl();
  const script = join(q.folder, "script");
  writeFileSync(script, "#!/bin/sh\necho words\nkill -9 0\n");
  chmodSync(script, 0o755);
  await q.ok("enqueue", "--id", "a", "--max-retries", "0", "--", script);
  await q.ok("worker", "--until-empty");
  expect(await q.ok("logs", "a")).toBe("words");
});
