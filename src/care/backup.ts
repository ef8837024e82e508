// Puts a queue away as one file (and, if wanted, a folder of logs beside it), while everything goes on. Restoring is opening it:
// the file as `queue.db` in a new home folder, the folder of logs as its `logs`.

import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { isSystemError, misuse, Refusal, reasonOf } from "../domain/errors.ts";
import { gapPath, readGap, writeGap } from "../gap.ts";
import {
  databasePath,
  ensureFolderOf,
  fileMode,
  folderMode,
  logsFolder,
  syncFolder,
  workerLogsFolder,
} from "../home.ts";
import { openFileLog, piecesFrom } from "../store/logs.ts";
import type { Copy } from "../store/sqlite/copy.ts";
import { filesBelow, foundJobLogs } from "./job-logs.ts";
import { isSameFile } from "./same-file.ts";

export interface BackupOptions {
  readonly home: string;
  /** Where to; must not exist. */
  readonly file: string;
  readonly withLogs: boolean;
}

export interface Backup {
  readonly bytes: number;
  /** The folder that the logs went to. */
  readonly logs: string | undefined;
}

/** Both names appear when all is on disk, or neither. */
export async function backUp({ home, file, withLogs }: BackupOptions): Promise<Backup> {
  const logs = withLogs ? `${file}.logs` : undefined;
  const unfinished = join(dirname(file), `.${basename(file)}.${process.pid}.unfinished`);
  const unfinishedLogs = `${unfinished}.logs`;
  refuseBesideQueue(home, file);
  refuseIfThere(file);
  if (logs !== undefined) refuseIfThere(logs);
  try {
    closeSync(openSync(unfinished, "wx", fileMode));
    await copyQueue(home, unfinished, logs === undefined ? undefined : unfinishedLogs);
    if (logs !== undefined) renameSync(unfinishedLogs, logs);
    putInPlace(unfinished, file);
    syncFolder(dirname(file));
    return { bytes: statSync(file).size, logs };
  } catch (error) {
    if (logs !== undefined) rmSync(logs, { recursive: true, force: true });
    if (error instanceof Refusal) throw error;
    const reason = isSystemError(error) ? reasonOf(error) : (error as Error).message;
    throw new Refusal(
      "unavailable",
      `the backup ${file} cannot be written: ${reason}`,
      "nothing is left of it; check folder, mode and free space",
    );
  } finally {
    for (const path of [unfinished, unfinishedLogs]) removeIfAny(path);
  }
}

/** In a folder that may not be entered there is nothing of ours, and that it may not was said. */
function removeIfAny(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

async function copyQueue(home: string, file: string, logs: string | undefined): Promise<void> {
  const { copyDatabase } = await import("../store/sqlite/copy.ts");
  {
    using copy = await copyDatabase(databasePath(home), file);
    if (logs !== undefined) await copyLogs(home, logs, copy);
  }
  sync(file);
}

/**
 * Of the jobs' logs only those of attempts that the copied database knows: a restored queue counts on from there, and must not
 * find output of runs that it never made.
 */
async function copyLogs(home: string, to: string, copy: Copy): Promise<void> {
  const from = logsFolder(home);
  mkdirSync(to, { mode: folderMode });
  const jobLogs = foundJobLogs(home).filter(({ seq, attempt }) => copy.hasAttempt(seq, attempt));
  for (const { path } of jobLogs.filter(({ path }) => path.endsWith(".log"))) {
    const target = join(to, relative(from, path));
    if (readGap(path)) await copyKept(path, target);
    else copyFile(path, target);
  }
  for (const path of filesBelow(workerLogsFolder(home))) copyFile(path, join(to, relative(from, path)));
}

function copyFile(from: string, to: string): void {
  ensureFolderOf(to);
  try {
    copyFileSync(from, to);
  } catch (error) {
    // Its job was removed in this moment.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  sync(to);
}

/** A file with a hole is as large as all that was printed; the copy has none. */
async function copyKept(path: string, to: string): Promise<void> {
  using log = openFileLog(path);
  if (!log) return;
  ensureFolderOf(to);
  writeFileSync(to, "", { mode: fileMode });
  let end = 0;
  let from: number | undefined;
  for await (const { start, bytes } of piecesFrom(log, 0)) {
    if (start > end) {
      // What was copied from behind the gap is in it now, when the command writes faster than this.
      from ??= end;
      truncateSync(to, from);
      writeGap(to, { from, to: start, at: from });
    }
    appendFileSync(to, bytes);
    end = start + bytes.length;
  }
  sync(to);
  if (from !== undefined) sync(gapPath(to));
}

function sync(path: string): void {
  const descriptor = openSync(path, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** SQLite takes what is called `queue.db-wal` and the like for its own, and clears it away. */
function refuseBesideQueue(home: string, file: string): void {
  const database = databasePath(home);
  if (!basename(file).startsWith(basename(database)) || !isSameFile(dirname(file), home)) return;
  throw misuse(`${file} is a name of the queue itself`, "name another file, best outside of its folder");
}

function refuseIfThere(path: string): void {
  if (existsSync(path)) throw taken(path);
}

const taken = (path: string) =>
  new Refusal("conflict", `${path} exists`, "name a file that does not, or move that one away");

/** Unlike a rename a link does not replace what somebody else put there meanwhile; some file systems (FAT) have none. */
function putInPlace(unfinished: string, file: string): void {
  try {
    linkSync(unfinished, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw taken(file);
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
    refuseIfThere(file);
    renameSync(unfinished, file);
  }
}
