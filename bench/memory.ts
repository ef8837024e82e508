// memory: what a worker process holds when it is idle, while 100 jobs run, after a job that printed a gigabyte, and with a million
// jobs in its queue.

import { readFileSync } from "node:fs";
import type { Bench } from "./bench.ts";
import { fill } from "./filled.ts";
import { type Home, jobLines, newHome, printedBytes } from "./program.ts";
import { proved } from "./rounds.ts";
import { type Figure, ownFigure } from "./table.ts";

const together = 100;
const settleMs = 3000;

export const bench: Bench = async () => {
  const idle = await idleMemory();
  const rest = [await manyRunning(), await manyPrinted(), await manyQueued(idle)];
  return [ownFigure("memory", "idle worker", "MB", idle, { atMost: 45 }), ...rest];
};

async function idleMemory(): Promise<number> {
  await using worker = await startWorker(newHome(), 1);
  return worker.megabytes();
}

async function manyRunning(): Promise<Figure> {
  const home = newHome();
  await using worker = await startWorker(home, together);
  const before = worker.megabytes();
  await home.queuectl(["enqueue", "--file", "-"], { stdin: jobLines(together, "sleep 600") });
  await Bun.sleep(settleMs);
  proved("running jobs", (await home.json("status")).processing, together);
  const each = (worker.megabytes() - before) / together;
  return ownFigure("memory", `for each of ${together} running jobs`, "MB", each, { atMost: 0.5 });
}

async function manyPrinted(): Promise<Figure> {
  const home = newHome();
  const bytes = 1024 ** 3;
  await home.queuectl(["config", "set", "log_limit", String(2 * bytes)]);
  await using worker = await startWorker(home, 1);
  const before = worker.megabytes();
  const { stdout } = await home.queuectl(["enqueue", `head -c ${bytes} /dev/zero`]);
  await home.queuectl(["wait", stdout.trim()]);
  proved("bytes printed", printedBytes(home), bytes);
  return ownFigure("memory", "more after a job that printed 1 GB", "MB", worker.megabytes() - before, {
    atMost: 10,
  });
}

async function manyQueued(idle: number): Promise<Figure> {
  const home = newHome();
  await fill(home, { finished: 0, scheduled: 1_000_000, waiting: 0 });
  await using worker = await startWorker(home, 1);
  return ownFigure("memory", "more with a million jobs", "MB", worker.megabytes() - idle, { atMost: 10 });
}

interface Worker extends AsyncDisposable {
  /** What it has in memory now, with its part of what it shares. */
  megabytes(): number;
}

async function startWorker(home: Home, count: number): Promise<Worker> {
  await home.queuectl(["worker", "--detach", `--count=${count}`]);
  const [{ pid }] = await home.json("worker", "list");
  await Bun.sleep(settleMs);
  return {
    megabytes: () =>
      Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024,
    [Symbol.asyncDispose]: async () => {
      await home.queuectl(["worker", "stop", "--force", "--wait"]);
    },
  };
}
