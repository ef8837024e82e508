// The files with jobs' output: which one a command writes to, and the removal of those that nobody needs any more.

import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isSystemError } from "../domain/errors.ts";
import { gapPath } from "../gap.ts";
import { attemptOfLog, errorLogPath, jobLogPath, spoolFolder, spoolPath } from "../home.ts";
import type { RemovedJob } from "../store/jobs.ts";
import type { LogPlace } from "../store/logs.ts";
import type { Store } from "../store/store.ts";

/** The file that an attempt's command writes to: its log, or where the store keeps output, the spool. */
export const outputPath = ({ store, home }: LogPlace, seq: number, attempt: number): string =>
  store.output ? spoolPath(home, store.output.queue, seq, attempt) : jobLogPath(home, seq, attempt);

/** Removes the logs of jobs that are no more, where the store has not done so itself. */
export function removeJobLogs({ store, home }: LogPlace, removed: readonly RemovedJob[]): void {
  if (store.output) return;
  for (const { seq, attempts } of removed) {
    for (let attempt = 1; attempt <= attempts; attempt++) removeLogs(jobLogPath(home, seq, attempt));
  }
}

/** Removes an attempt's log after what may stand beside it. What cannot be removed is left to the doctor. */
export function removeLogs(path: string): void {
  const errors = errorLogPath(path);
  for (const one of [gapPath(path), gapPath(errors), path, errors]) removeFile(one);
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Removes what is left in the spool of attempts that ended elsewhere, as after a crash of this machine. */
export async function pruneSpool(store: Store, home: string): Promise<void> {
  if (!store.output) return;
  const folder = spoolFolder(home, store.output.queue);
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  for (const name of readdirSync(folder)) {
    const owner = attemptOfLog(name);
    if (!owner) continue;
    const attempts = await store.jobs.attempts(owner.seq);
    const runs = attempts.some(({ number, result }) => number === owner.attempt && result === null);
    if (!runs) removeFile(join(folder, name));
  }
}
