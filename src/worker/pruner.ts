// Removes what nobody needs any more: finished jobs older than the retention with their logs, journals without a job, and what
// workers said that went long ago.

import { lstatSync, readdirSync, rmSync } from "node:fs";
import type { SettledState } from "../domain/job.ts";
import type { Settings } from "../domain/settings.ts";
import { isRunFileOf, runFolder, workerLogsFolder } from "../home.ts";
import type { LogPlace } from "../store/logs.ts";
import type { Store } from "../store/store.ts";
import { removeJobLogs } from "./job-logs.ts";

/** Small enough that a claim waits no longer than it would for another worker. */
const batch = 500;

export async function pruneOnce(store: Store, home: string, settings: Settings): Promise<void> {
  const { retention, retention_dead } = settings;
  const now = await store.now();
  // With jobs kept for ever there are other things to remove.
  await pruneFinished({ store, home }, retention === 0 ? 0 : now - retention * 1000, [
    "completed",
    "cancelled",
  ]);
  if (retention_dead > 0) await pruneFinished({ store, home }, now - retention_dead * 1000, ["dead"]);
}

/** Removes all jobs of these states that finished before a moment, with their logs, in small steps. Returns how many. */
export async function pruneFinished(
  { store, home }: LogPlace & { readonly store: Store },
  before: number,
  states: readonly SettledState[],
  onStep: (removed: number) => void = () => {},
): Promise<number> {
  for (let count = 0; ; ) {
    const removed = await store.jobs.prune(before, batch, states);
    removeJobLogs({ store, home }, removed);
    count += removed.length;
    onStep(count);
    if (removed.length < batch) return count;
  }
}

/** Removes the logs of workers that are gone and said their last word before the retention. */
export async function pruneWorkerLogs(store: Store, home: string, { retention }: Settings): Promise<void> {
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

/** Removes the journals of dead workers that no job refers to any more, with what stands beside them. */
export async function pruneJournals(store: Store, home: string): Promise<void> {
  const folder = runFolder(home);
  const referred = new Set(await store.workers.journals());
  for (const name of readdirSync(folder).filter((one) => isRunFileOf(store.output?.queue, one))) {
    const path = `${folder}/${name}`;
    const journal = path.replace(/\.[a-z]+$/, ".journal");
    const young = Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) < youngMs;
    if (!referred.has(journal) && !young) rmSync(path, { force: true });
  }
}
