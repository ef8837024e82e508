// queuectl worker logs: what a worker said, also one that is gone.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { workerLogPath } from "../../home.ts";
import { livenessOf } from "../../runner/process-identity.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findWorker } from "../find-worker.ts";
import { copier } from "../follow.ts";
import { writeOut } from "../output.ts";
import { wholeNumber } from "../values.ts";

interface WorkerLogsOptions {
  readonly lines?: string;
  readonly follow?: boolean;
}

const tickMs = 100;

export async function workerLogs(
  context: Context,
  words: readonly string[],
  options: WorkerLogsOptions,
): Promise<number> {
  const count = options.lines === undefined ? 50 : wholeNumber("lines", options.lines, 0, 1e9);
  const folder = dirname(workerLogPath(context.home, "any"));
  const ids = existsSync(folder)
    ? readdirSync(folder).flatMap((name) =>
        /^worker-.*\.log$/.test(name) ? [name.slice(0, -".log".length)] : [],
      )
    : [];
  const id = findWorker(words[0]!, ids);
  const path = workerLogPath(context.home, id);
  const older = existsSync(`${path}.1`) ? readFileSync(`${path}.1`, "utf8") : "";
  const newer = readFileSync(path, "utf8");
  const lines = (older + newer).split("\n").slice(0, -1);
  const last = count === 0 ? [] : lines.slice(-count);
  let reading = await writeOut(last.map((line) => `${line}\n`).join(""));
  if (!options.follow) return done;

  await using store = await context.openStore();
  const copy = copier(path, { from: Buffer.byteLength(newer) });
  while (reading) {
    const processes = await store.workers.processes();
    const alive = processes.some(
      ({ worker_ids, identity }) => worker_ids.includes(id) && livenessOf(identity) !== "dead",
    );
    reading = await copy.more();
    if (!alive) break;
    await Bun.sleep(tickMs);
  }
  return done;
}
