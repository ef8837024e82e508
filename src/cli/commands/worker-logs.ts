// queuectl worker logs: what a worker said, also one that is gone.

import { existsSync, readdirSync } from "node:fs";
import { Refusal } from "../../domain/errors.ts";
import { workerLogPath, workerLogsFolder } from "../../home.ts";
import { isOfThisMachine } from "../../runner/process-identity.ts";
import { openFileLog } from "../../store/logs.ts";
import { isLiving, processStates, workersOf } from "../../worker/liveness.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findWorker } from "../find-worker.ts";
import { copier } from "../follow.ts";
import { followFlag, type LastLines, lastLines, lineCount, linesFlag } from "../last-lines.ts";

export const commands: Commands = {
  "worker logs": {
    flags: [linesFlag("How many of the last lines; 50 by default"), followFlag("Go on showing what it says")],
    run: workerLogs,
  },
};

interface WorkerLogsOptions {
  readonly lines?: string;
  readonly follow?: boolean;
}

const tickMs = 100;

async function workerLogs(
  context: Context,
  words: readonly string[],
  options: WorkerLogsOptions,
): Promise<number> {
  const count = options.lines === undefined ? 50 : lineCount(options.lines);
  const id = await workerWithLog(context, words[0]!);
  const path = workerLogPath(context.home, id);
  const newer = await lastOf(path, count);
  const older = `${path}.1`;
  const { from } = await lastOf(older, newer.missing);
  const copy = copier(() => openFileLog(path), { from: newer.from });
  let reading = (await copier(() => openFileLog(older), { from }).end()) && (await copy.more());
  if (!options.follow) return done;

  await using store = await context.openStore();
  while (reading) {
    const living = workersOf((await processStates(store)).filter(isLiving));
    reading = await copy.more();
    if (!living.includes(id)) break;
    await Bun.sleep(tickMs);
  }
  return done;
}

async function lastOf(path: string, wanted: number): Promise<LastLines> {
  using log = openFileLog(path);
  return log ? await lastLines(log, wanted) : { from: 0, missing: wanted };
}

/** The worker that a word names and whose log lies here; the database is asked, and needed, only when there is none. */
async function workerWithLog(context: Context, word: string): Promise<string> {
  try {
    return findWorker(word, workersWithLog(context.home));
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== "not_found") throw error;
    throw await refusalElsewhere(context, word);
  }
}

/** Says on which machine, or in which home folder, a worker's log lies. */
async function refusalElsewhere(context: Context, word: string): Promise<Refusal> {
  await using store = await context.openStore();
  const processes = await processStates(store);
  const id = findWorker(word, workersOf(processes));
  const { identity, home } = processes.find(({ worker_ids }) => worker_ids.includes(id))!;
  const isHere = isOfThisMachine(identity);
  if (isHere && home === context.home) {
    return new Refusal(
      "not_found",
      `${id} has no log`,
      "what a worker says that came with its job, by queuectl run, stands where that was called",
    );
  }
  return new Refusal(
    "not_found",
    `the log of ${id} lies on ${identity.host}, in ${workerLogPath(home, id)}`,
    `look there: ${isHere ? `QUEUECTL_HOME=${home} ` : ""}queuectl worker logs ${id}`,
  );
}

function workersWithLog(home: string): string[] {
  const folder = workerLogsFolder(home);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) =>
    /^worker-.*\.log$/.test(name) ? [name.slice(0, -".log".length)] : [],
  );
}
