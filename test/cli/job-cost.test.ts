// What a job asks of the system from its claim to its end, counted and not timed, so that it hardly depends on the machine: what 200
// more jobs cost beyond what a worker process costs anyway. Some calls come with each transaction, and how many jobs share one
// depends on how fast they end: their limits hold for one each.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { noStrace } from "../support/power-cut.ts";
import { queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const few = 50;
const many = 250;

/** How often each call was made while so many jobs were run by 8 workers, for the last time of so many. */
async function callsOf(jobs: number, command: string, times: number): Promise<Map<string, number>> {
  using folder = tempFolder();
  const summary = join(folder.path, "summary");
  await using queue = queuectl({}, ["strace", "-f", "-c", "-o", summary]);
  const lines = `${JSON.stringify({ command })}\n`.repeat(jobs);
  await queue.with({ stdin: lines }, "enqueue", "--file", "-");
  const ids = (await queue.json("list", "--limit", "0")).map(({ id }: { id: string }) => id);
  for (let time = 1; time <= times; time++) {
    if (time > 1) await queue.ok("retry", ...ids);
    await queue.ok("worker", "--count", "8", "--until-empty", "--quiet");
  }
  const rows = readFileSync(summary, "latin1").split("\n");
  const calls = new Map(
    rows.map((row) => row.trim().split(/\s+/)).map((cells) => [cells.at(-1)!, Number(cells[3])]),
  );
  expect((await queue.json("status")).completed).toBe(jobs);
  return calls;
}

/** How often calls were made for each job of this command, several calls together. */
async function perJobOf(command: string, times = 1): Promise<(...names: readonly string[]) => number> {
  const [small, large] = [await callsOf(few, command, times), await callsOf(many, command, times)];
  return (...names) =>
    names.reduce((sum, name) => sum + (large.get(name) ?? 0) - (small.get(name) ?? 0), 0) / (many - few);
}

const toStartProcesses = ["clone", "clone3", "fork", "vfork"];

test.skipIf(noStrace !== undefined)("a job asks no more of the system than it did", async () => {
  const perJob = await perJobOf("true");
  const costs = [
    { of: "programs", count: perJob("execve"), atMost: 1.1 },
    { of: "processes", count: perJob(...toStartProcesses), atMost: 1.2 },
    { of: "folders read", count: perJob("getdents64"), atMost: 0.2 },
    { of: "files opened", count: perJob("openat", "open"), atMost: 18 },
    // With each transaction.
    { of: "syncs", count: perJob("fsync", "fdatasync"), atMost: 1.5 },
    { of: "writes to the database", count: perJob("pwrite64"), atMost: 40 },
    { of: "reads of the database", count: perJob("pread64"), atMost: 40 },
    { of: "calls in all", count: perJob("total"), atMost: 400 },
  ];
  expect(costs.filter(({ count, atMost }) => !(count <= atMost))).toEqual([]);
  // Who finds nothing counts nothing.
  expect(perJob("execve")).toBeGreaterThan(0.9);
});

test.skipIf(noStrace !== undefined)("a program is one process more than its shell", async () => {
  const perJob = await perJobOf("/bin/true");
  expect(perJob(...toStartProcesses)).toBeWithin(1.9, 2.2);
  expect(perJob("execve")).toBeWithin(1.9, 2.1);
});

test.skipIf(noStrace !== undefined)(
  "jobs that run again look together at what earlier runs have left",
  async () => {
    const perJob = await perJobOf("true", 2);
    // Two for each list of all processes.
    expect(perJob("getdents64")).toBeLessThan(1);
    expect(perJob("execve")).toBeGreaterThan(0.9);
  },
);
