// Promise 6: output is kept whole and in order, stdout and stderr together, byte for byte up to a limit; that it was cut is a
// fact that readers show, not a line written into it. It can be read while the command runs.

import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gapPath } from "../../src/gap.ts";
import { jobLogPath } from "../../src/home.ts";
import { makeGate } from "../support/gate.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { noSmallDisk, plainDisk } from "../support/small-disk.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

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

/** What `seq` prints. */
const numbersTo = (last: number) => `${Array.from({ length: last }, (_, n) => n + 1).join("\n")}\n`;

test("beyond the limit its beginning and its end are kept, and how much is missing between them is told on stderr", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "log_limit", "100KiB");
  await q.ok("enqueue", "seq 1000000; echo the end", "--id", "a");
  await q.ok("worker", "--until-empty");
  const whole = `${numbersTo(1_000_000)}the end\n`;
  const kept = whole.slice(0, 51_200) + whole.slice(-51_200);
  const leftOut = whole.length - 102_400;
  for (const options of [[], ["--follow"]]) {
    const { stdout, stderr } = await q("logs", "a", ...options);
    expect(stdout === kept).toBe(true);
    expect(stderr).toContain("6.5 MiB of the output were left out here, after 50 KiB");
  }
  const facts = { log_bytes: 102_400, log_truncated: true, log_left_out: leftOut };
  expect((await q.json("show", "a")).attempts_history[0]).toMatchObject(facts);
  expect(await q.ok("show", "a")).toContain("100 KiB, 6.5 MiB left out");
  // No line says so in the file, which is no larger than what is kept.
  expect((await logOf(q, "a")).toString() === kept).toBe(true);
});

test("of how much the end is kept is a setting, from nothing of it to nothing but it", async () => {
  await using q = queuectl({ QUEUECTL_LOG_LIMIT: "10KiB" });
  const whole = numbersTo(100_000);
  for (const [tail, kept] of [
    ["0", whole.slice(0, 10_240)],
    ["0.25", whole.slice(0, 7680) + whole.slice(-2560)],
    ["1", whole.slice(-10_240)],
  ] as const) {
    await q.ok("config", "set", "log_tail", tail);
    await q.ok("enqueue", "seq 100000", "--id", `tail-${tail}`);
    await q.ok("worker", "--until-empty");
    const { stdout, stderr } = await q("logs", `tail-${tail}`);
    expect(stdout === kept).toBe(true);
    expect(stderr).toContain("left out here");
    expect((await q.json("show", `tail-${tail}`)).attempts_history[0].log_left_out).toBe(
      whole.length - 10_240,
    );
  }
  await q.ok("run", "seq 10", "--id", "short");
  expect((await q.json("show", "short")).attempts_history[0]).toMatchObject({
    log_truncated: false,
    log_left_out: 0,
  });
});

test("a command that never ends cannot fill the disk, and its end is kept as well", async () => {
  await using q = queuectl();
  await q.ok("config", "set", "log_limit", "64KiB");
  await q.ok("enqueue", "seq 100000000000", "--id", "a", "--timeout", "2", "--max-retries", "0");
  const worker = q.start("worker", "--until-empty");
  const log = jobLogPath(q.home, 1, 1);
  await waitUntil("something is left out", () => existsSync(gapPath(log)));
  // A moment's output lies there besides, however long the command has been running.
  const room = () => (statSync(log).blocks * 512) / statSync(log).size;
  await waitUntil("the disk has a small part of it", () => statSync(log).size > 20_000_000 && room() < 0.5);
  expect(await worker.exited).toBe(0);
  const [{ log_bytes, log_left_out }] = (await q.json("show", "a")).attempts_history;
  expect(log_bytes).toBe(65_536);
  expect(statSync(log).size).toBe(65_536);
  const numbers = (await q("logs", "a")).stdout.slice(32_768).split("\n").slice(1, -1).map(Number);
  expect(numbers.every((number, n) => n === 0 || number === numbers[n - 1]! + 1)).toBe(true);
  // All that was printed is accounted for: the last number's place is where the arithmetic has it.
  expect(digitsUpTo(numbers.at(-1)!)).toBe(log_bytes + log_left_out - (await unfinished(q)));
});

/** The bytes that `seq` needs up to a number. */
function digitsUpTo(last: number): number {
  let bytes = 0;
  for (let digits = 1, first = 1; first <= last; digits++, first *= 10)
    bytes += (Math.min(last, first * 10 - 1) - first + 1) * (digits + 1);
  return bytes;
}

/** The bytes behind the last whole line. */
async function unfinished(q: Queuectl): Promise<number> {
  const log = await logOf(q, "a");
  return log.length - log.lastIndexOf(10) - 1;
}

test("who follows a flood sees its beginning and its end, and is told of what was too fast to be seen", async () => {
  await using q = queuectl({ QUEUECTL_LOG_LIMIT: "64KiB" });
  await q.ok("enqueue", "seq 3000000", "--id", "a");
  const follower = q.start("logs", "a", "--follow");
  q.start("worker", "--until-empty");
  expect(await follower.exited).toBe(0);
  const lines = follower.stdout().split("\n");
  expect([lines[0], lines.at(-2)]).toEqual(["1", "3000000"]);
  const told = follower.stderr().match(/left out here/g) ?? [];
  // What it shows goes on without a gap between what it is told of: a line that is cut in two is no number in its place.
  const numbers = lines.slice(0, -1).map(Number);
  const breaks = numbers.filter((number, n) => n > 0 && number !== numbers[n - 1]! + 1);
  expect(breaks.length).toBeLessThanOrEqual(2 * told.length);
});

test("a worker that is killed in the middle of a flood, and the one that takes over, keep its beginning and its end", async () => {
  await using q = queuectl({ QUEUECTL_LOG_LIMIT: "64KiB" });
  const gate = makeGate(q);
  await q.ok("enqueue", `seq 300000; ${gate.command}; seq 300001 600000`, "--id", "a");
  const first = q.start("worker");
  const log = jobLogPath(q.home, 1, 1);
  await waitUntil("something is left out", () => existsSync(gapPath(log)));
  first.kill("SIGKILL");
  await first.exited;
  await gate.reached();
  const next = q.start("worker");
  await next.says("took over job a");
  gate.open();
  expect((await q("wait", "a")).status).toBe(0);
  const whole = numbersTo(600_000);
  const { stdout } = await q("logs", "a");
  expect(stdout === whole.slice(0, 32_768) + whole.slice(-32_768)).toBe(true);
  expect((await q.json("show", "a")).attempts_history[0].log_left_out).toBe(whole.length - 65_536);
});

test.skipIf(noSmallDisk !== undefined)(
  "where a file system frees no part of a file, all beyond the limit is cut off",
  async () => {
    using disk = plainDisk();
    await using q = queuectl({ QUEUECTL_LOG_LIMIT: "64KiB", QUEUECTL_HOME: disk.path });
    await q.ok("enqueue", "seq 1000000; sleep 0.5; echo the end", "--id", "a");
    await q.ok("worker", "--until-empty");
    const { stdout, stderr } = await q("logs", "a");
    expect(stdout).toBe(numbersTo(20_000).slice(0, 65_536));
    expect(stderr).toContain("cut at 64 KiB (setting log_limit)");
    expect((await q.json("show", "a")).attempts_history[0]).toMatchObject({
      log_bytes: 65_536,
      log_truncated: true,
      log_left_out: null,
    });
  },
);

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
