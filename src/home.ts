// Where everything lives: the home folder, the database in it, and the logs below it. Only the owner may look inside.

import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readlinkSync,
  statSync,
} from "node:fs";
import { isSystemError, Refusal, reasonOf } from "./domain/errors.ts";

export const folderMode = 0o700;
export const fileMode = 0o600;

/** `QUEUECTL_HOME`, or `~/.queuectl`; absolute. */
export const homeOf = (environment: Readonly<Record<string, string | undefined>>) =>
  resolved(environment.QUEUECTL_HOME || `${environment.HOME || homeOfUser()}/.queuectl`);

/** Of the table of users, where the environment names none. A user without an entry there is usual in a container. */
function homeOfUser(): string {
  try {
    return process.getBuiltinModule("node:os").homedir();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new Refusal(
      "unavailable",
      "your user has no home folder: HOME is not set, and the system does not know the user",
      "set QUEUECTL_HOME to a folder that you may write",
    );
  }
}

/** What knows of paths takes as long to load as opening a database: it is asked only about those that are not plain already. */
const resolved = (path: string) =>
  /^(\/(?!\.{1,2}(\/|$))[^/]+)+$/.test(path) ? path : process.getBuiltinModule("node:path").resolve(path);

export const databasePath = (home: string) => `${home}/queue.db`;

export const logsFolder = (home: string) => `${home}/logs`;

export const workerLogsFolder = (home: string) => `${logsFolder(home)}/workers`;

export const workerLogPath = (home: string, workerId: string) => `${workerLogsFolder(home)}/${workerId}.log`;

/** Where the commands of a worker process leave word of how they ended; `queue` as for marks (src/runner/mark.ts). */
export const journalPath = (home: string, queue: string | undefined, name: string) =>
  `${runFolder(home)}/${queue === undefined ? "" : `${queue}.`}${name}.journal`;

/** Where journals lie, and what stands beside them. */
export const runFolder = (home: string) => `${home}/run`;

/** Whether a file of that folder belongs to a queue. */
export const isRunFileOf = (queue: string | undefined, name: string) =>
  queue === undefined ? name.split(".").length === 2 : name.startsWith(`${queue}.`);

/** Made of numbers, never of an id, and spread over folders of at most a thousand jobs. */
export function jobLogPath(home: string, seq: number, attempt: number): string {
  const millions = String(Math.floor(seq / 1_000_000)).padStart(3, "0");
  const thousands = String(Math.floor(seq / 1000) % 1000).padStart(3, "0");
  return `${jobLogsFolder(home)}/${millions}/${thousands}/${seq}-${attempt}.log`;
}

/**
 * Where the output of commands lies on this machine while they run, for a queue that keeps output itself. By the queue's name: one home
 * may serve several.
 */
export const spoolFolder = (home: string, queue: string) => `${home}/spool/${queue}`;

export const spoolPath = (home: string, queue: string, seq: number, attempt: number) =>
  `${spoolFolder(home, queue)}/${seq}-${attempt}.log`;

export const jobLogsFolder = (home: string) => `${logsFolder(home)}/jobs`;

/** Beside a log, where stderr goes that is kept apart. */
export const errorLogPath = (logPath: string) => logPath.replace(/\.log$/, ".err.log");

/** Whose log, or note beside one, a path names; undefined for a file that is neither. */
export function attemptOfLog(path: string): { readonly seq: number; readonly attempt: number } | undefined {
  const [, seq, attempt] = /(?:^|\/)(\d+)-(\d+)(?:\.err)?\.(?:log|gap)$/.exec(path) ?? [];
  return attempt === undefined ? undefined : { seq: Number(seq), attempt: Number(attempt) };
}

/** Makes the home folder if it is missing, so that nobody else can read it. */
export function ensureHome(home: string): void {
  refuseUmask();
  try {
    const found = statSync(home, { throwIfNoEntry: false });
    if (found?.isDirectory()) return;
    if (found)
      throw new Refusal(
        "unavailable",
        `the home folder ${home} is a file`,
        "point QUEUECTL_HOME to a folder",
      );
    mkdirSync(home, { recursive: true, mode: folderMode });
    chmodSync(home, folderMode);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    refuseDeadLink(home);
    throw new Refusal(
      "unavailable",
      `the home folder ${home} cannot be made: ${isSystemError(error) ? reasonOf(error) : error}`,
      "point QUEUECTL_HOME to a folder that you may write",
    );
  }
}

/** Refuses one that keeps its own user from files: a database that is made so cannot be used afterwards. */
function refuseUmask(): void {
  const umask = process.umask();
  if ((umask & folderMode) === 0) return;
  throw new Refusal(
    "unavailable",
    `the umask ${umask.toString(8).padStart(4, "0")} keeps you from using the files that you make`,
    "set another (umask 077)",
  );
}

/** Refuses a home to which a link leads that leads nowhere: nothing can be made there. */
export function refuseDeadLink(home: string): void {
  const link = deadLinkTo(home);
  if (link === undefined) return;
  throw new Refusal(
    "unavailable",
    `the home folder ${home} cannot be made: ${link}`,
    "mount the disk that it leads to, or point QUEUECTL_HOME to another folder",
  );
}

/** Says which link on the way to a path leads nowhere, as to a disk that is not mounted; undefined when none does. */
export function deadLinkTo(path: string): string | undefined {
  const { dirname } = process.getBuiltinModule("node:path");
  for (let part = path; part !== dirname(part) && !existsSync(part); part = dirname(part)) {
    const target = targetOf(part);
    if (target !== undefined) return `${part} is a link to ${target}, which is not there`;
  }
  return undefined;
}

/** Where a link leads; undefined of what is none. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Makes the names in a folder survive a power cut. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a new file's name survive a power cut, with those of all folders that may have been made for it. */
export function syncFoldersOf(path: string): void {
  const { dirname } = process.getBuiltinModule("node:path");
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      syncFolder(folder);
    } catch (error) {
      if (!cannotBeSynced.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
    if (folder === dirname(folder)) return;
  }
}

/** A folder that we may not read was not made by us; some file systems sync no folders, and need not. */
const cannotBeSynced: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EINVAL", "ENOTSUP"]);

export function ensureFolderOf(path: string): void {
  mkdirSync(process.getBuiltinModule("node:path").dirname(path), { recursive: true, mode: folderMode });
}
