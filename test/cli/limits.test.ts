// What a command may take of its machine, as real commands meet it.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ending } from "../../src/domain/attempt.ts";
import { limitMemory, toldOfMemory } from "../../src/runner/memory.ts";
import { queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

/** Fills so many bytes. */
const filling = (bytes: number) => `head -c ${bytes} /dev/zero | tail -c ${bytes} | wc -c`;

describe.concurrent("a command", () => {
  test("stands back by its niceness, and so does what it starts, also where it is taken over", async () => {
    await using q = queuectl();
    const go = join(q.folder, "go");
    const command = `nice; until [ -e ${go} ]; do sleep 0.02; done; sh -c nice; exit 4`;
    const own = Number((await q("run", "nice")).stdout);
    await q.ok("enqueue", command, "--id", "a", "--nice", "7", "--max-retries", "0");
    const worker = q.start("worker");
    await waitUntil("it runs", async () => (await q.ok("logs", "a")) !== "");
    worker.kill("SIGKILL");
    await worker.exited;
    const next = q.start("worker");
    await next.says("took over job a");
    writeFileSync(go, "");
    expect((await q("wait", "a")).status).toBe(4);
    expect(await q.ok("logs", "a")).toBe(`${own + 7}\n${own + 7}`);
    expect(await q.json("show", "a")).toMatchObject({ nice: 7 });
  });

  test.skipIf(process.platform !== "linux")("gets no more memory than it may have", async () => {
    await using q = queuectl();
    const { status, stderr, stdout } = await q(
      "run",
      filling(200_000_000),
      "--memory",
      "50M",
      "--max-retries",
      "0",
    );
    expect({ status, stdout: stdout.includes("200000000") }).not.toEqual({ status: 0, stdout: true });
    expect(stderr + stdout).toMatch(/memory/);
    expect((await q("run", filling(1_000_000), "--memory", "50M")).stdout.trim()).toBe("1000000");
  });

  test("is limited as JSON and schedules say it too", async () => {
    await using q = queuectl();
    const id = await q.ok("enqueue", '{"command": "true", "memory": "1.5G", "nice": 3}');
    expect(await q.json("show", id)).toMatchObject({ memory: 1.5 * 1024 ** 3, nice: 3 });
    expect(await q.ok("show", id)).toContain("1.5 GiB");
    await q.ok("schedule", "add", "s", "@daily", "true", "--memory", "2097152");
    expect((await q.json("schedule", "show", "s")).job.memory).toBe(2_097_152);
  });
});

describe("a control group that counts memory", () => {
  const run: Pick<Ending, "error" | "note"> = { error: "exit status 137, as after SIGKILL", note: null };

  test("gets the limit, and says when the kernel killed for it", () => {
    using folder = tempFolder();
    mkdirSync(folder.path, { recursive: true });
    const file = (name: string) => join(folder.path, name);
    expect(limitMemory(folder.path, 50_000_000)).toBe(false);
    writeFileSync(file("memory.max"), "max\n");
    expect(limitMemory(folder.path, 50_000_000)).toBe(true);
    expect(readFileSync(file("memory.max"), "utf8")).toStartWith("50000000");
    writeFileSync(file("memory.events"), "low 0\noom 1\noom_kill 0\n");
    expect(toldOfMemory(run, 50 * 1024 ** 2, folder.path)).toEqual(run);
    writeFileSync(file("memory.events"), "low 0\noom 1\noom_kill 2\n");
    expect(toldOfMemory(run, 50 * 1024 ** 2, folder.path).error).toBe(
      "out of memory, more than 50 MiB: exit status 137, as after SIGKILL",
    );
    expect(toldOfMemory({ error: null, note: "x" }, 50 * 1024 ** 2, folder.path)).toEqual({
      error: null,
      note: "x; the kernel killed a part of it: more memory than 50 MiB",
    });
  });

  test("is said to be missing where a limited command failed without one", () => {
    expect(toldOfMemory(run, 50 * 1024 ** 2, null).note).toBe(
      "each of its processes could have 50 MiB: there is no control group that counts memory here",
    );
    expect(toldOfMemory({ error: null, note: null }, 1, null)).toEqual({ error: null, note: null });
  });
});

test.each([
  [["--nice", "20"], "nice cannot be 20: it is a whole number from 0 to 19"],
  [["--nice", "-5"], "nice cannot be -5"],
  [["--nice", "low"], 'nice cannot be "low"'],
  [["--memory", "much"], 'memory cannot be "much": it is a size in bytes'],
  [["--memory", "1k"], "memory cannot be 1024: it is a size in bytes such as 1048576"],
  [['{"command": "true", "memory": "x"}'], 'memory: memory cannot be "x"'],
  [['{"command": "true", "nice": 1.5}'], "nice cannot be 1.5"],
])("wrong use is told: %j", async (words, message) => {
  await using q = queuectl();
  const { status, stderr } = await q("enqueue", ...(words.length === 1 ? [] : ["true"]), ...words);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});
