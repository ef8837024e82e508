// queuectl demo: everything that it starts and makes is gone when it ends, however it ends, and nothing else is touched.

import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { homeMark, runsOf } from "../../src/runner/mark.ts";
import { isRunning } from "../support/is-running.ts";
import { type Queuectl, queuectl } from "../support/queuectl.ts";
import { atTerminal, ctrlC } from "../support/terminal.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(120_000);

/** Where the demo makes its folder: a test sees what is left there. */
function scratchOf(q: Queuectl): string {
  const path = join(q.folder, "tmp");
  mkdirSync(path);
  return path;
}

const demoHome = (scratch: string) => join(scratch, readdirSync(scratch)[0]!);

test("it shows jobs of every fate, and Ctrl-C ends all of it", async () => {
  await using q = queuectl();
  const scratch = scratchOf(q);
  const terminal = atTerminal(q, ["demo"], { env: { TMPDIR: scratch, QUEUECTL_PRIORITY: "no number" } });
  await terminal.shows("Ctrl-C ends it");
  const home = demoHome(scratch);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  const url = /http:\S+/.exec(terminal.shown())![0];
  expect(await (await fetch(url)).text()).toContain("demo");

  const inDemo = { env: { QUEUECTL_HOME: home } };
  const stateOf = async (id: string) =>
    JSON.parse((await q.with(inDemo, "show", id, "--json")).stdout).state as string;
  await waitUntil("a job has run out of retries", async () => (await stateOf("invoice")) === "dead");
  await waitUntil("a long one runs", async () => (await stateOf("train-faces")) === "processing");
  expect(JSON.parse((await q.with(inDemo, "schedule", "list", "--json")).stdout)).not.toEqual([]);
  // As the dashboard's button does.
  const id = (await q.with(inDemo, "worker", "--detach")).stdout.trim();
  const workers = JSON.parse((await q.with(inDemo, "worker", "list", "--json")).stdout);
  const detached = workers.find((worker: { id: string }) => worker.id === id);
  expect(workers).toHaveLength(5);

  terminal.type(ctrlC);
  expect(await terminal.exited()).toBe(0);
  expect(readdirSync(scratch)).toEqual([]);
  expect(runsOf(homeMark(home)).size).toBe(0);
  await waitUntil("the other worker's process is gone", () => !isRunning(detached.pid));
  expect(existsSync(q.home)).toBe(false);
});

test("a port that cannot be is refused, and nothing is begun", async () => {
  await using q = queuectl();
  const scratch = scratchOf(q);
  const demo = await q.with({ env: { TMPDIR: scratch } }, "demo", "--port", "x");
  expect(demo).toEqual({ status: 2, stdout: "", stderr: expect.stringContaining("--port cannot be") });
  expect(readdirSync(scratch)).toEqual([]);
});

test("with --keep the folder stays, and is a queue like any other", async () => {
  await using q = queuectl({ TMPDIR: "" });
  const scratch = scratchOf(q);
  const terminal = atTerminal(q, ["demo", "--keep"], { env: { TMPDIR: scratch } });
  await terminal.shows("Ctrl-C ends it");
  terminal.type(ctrlC);
  expect(await terminal.exited()).toBe(0);
  const home = demoHome(scratch);
  expect(terminal.shown()).toContain(`kept: export QUEUECTL_HOME=${home}`);
  const status = JSON.parse((await q.with({ env: { QUEUECTL_HOME: home } }, "status", "--json")).stdout);
  expect(status.total).toBeGreaterThan(50);
  expect(status.processing).toBe(0);
});

test("a port that is taken is refused, and leaves nothing behind", async () => {
  await using q = queuectl();
  const scratch = scratchOf(q);
  using taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { status, stderr } = await q.with({ env: { TMPDIR: scratch } }, "demo", "--port", String(taken.port));
  expect(status).toBe(1);
  expect(stderr).toMatch(/^queuectl: [^\n]+\n$/);
  expect(readdirSync(scratch)).toEqual([]);
});
