// Removes what nobody needs any more: finished jobs older than the retention with their logs, journals without a job, and what
// workers said that went long ago.

import { lstatSync, readdirSync, rmSync } from "node:fs";
import { basename } from "node:path";
import type { SettledState } from "../domain/job.ts";
import type { Settings } from "../domain/settings.ts";
import { isRunFileOf, runFolder, workerLogsFolder } from "../home.ts";
import { removeFinished } from "../store/finished.ts";
import type { Store } from "../store/store.ts";
import { pruneSpool, removeJobLogs } from "./job-logs.ts";

export async function pruneOnce(store: Store, home: string, settings: Settings): Promise<void> {
  await pruneJobs(store, home, settings);
  await pruneJournals(store, home);
  await pruneSpool(store, home);
  await pruneWorkerLogs(store, home, settings);
}

async function pruneJobs(store: Store, home: string, settings: Settings): Promise<void> {
  const { retention, retention_dead } = settings;
  const now = await store.now();
  const remove = async (before: number, states: readonly SettledState[]) =>
    removeFinished(store, {
      before,
      states,
      removeLogs: (removed) => removeJobLogs({ store, home }, removed),
    });
  // With jobs kept for ever there are other things to remove.
  await remove(retention === 0 ? 0 : now - retention * 1000, ["completed", "cancelled"]);
  if (retention_dead > 0) await remove(now - retention_dead * 1000, ["dead"]);
}

/** Removes the logs of workers that are gone and said their last word before the retention. */
async function pruneWorkerLogs(store: Store, home: string, { retention }: Settings): Promise<void> {
  if (retention === 0) return;
  const folder = workerLogsFolder(home);
  const before = Date.now() - retention * 1000;
  const entered = new Set((await store.workers.list()).map(({ id }) => id));
  for (const name of readdirSync(folder).filter((one) => one.startsWith("worker-"))) {
    const path = `${folder}/${name}`;
    const isOld = (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? before) < before;
    if (isOld && !entered.has(name.split(".")[0]!)) rmSync(path, { force: true });
  }
}

/** A journal is made a moment before its worker is entered. */
const youngMs = 60_000;

/**
 * Removes the journals of dead workers that no job refers to any more, with what stands beside them. Journals are known by their names:
 * another worker may have come to the folder by a symbolic link.
 */
export async function pruneJournals(store: Store, home: string): Promise<void> {
  const folder = runFolder(home);
  const referred = new Set((await store.workers.journals()).map((path) => basename(path)));
  for (const name of readdirSync(folder).filter((one) => isRunFileOf(store.output?.queue, one))) {
    const path = `${folder}/${name}`;
    const journal = name.replace(/\.[a-z]+$/, ".journal");
    const young = Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) < youngMs;
    if (!referred.has(journal) && !young) rmSync(path, { force: true });
  }
}
