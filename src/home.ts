// Where everything lives: the home folder, the database in it, and the logs below it. Only the owner may look inside.

import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Refusal } from "./domain/errors.ts";

export const folderMode = 0o700;
export const fileMode = 0o600;

/** `QUEUECTL_HOME`, or `~/.queuectl`. */
export const homeOf = (environment: Readonly<Record<string, string | undefined>>) =>
  resolve(environment.QUEUECTL_HOME || join(environment.HOME || homedir(), ".queuectl"));

export const databasePath = (home: string) => join(home, "queue.db");

export const workerLogPath = (home: string, workerId: string) =>
  join(home, "logs", "workers", `${workerId}.log`);

/** Where the commands of a worker process leave word of how they ended. */
export const journalPath = (home: string, name: string) => join(home, "run", `${name}.journal`);

/** Made of numbers, never of an id, and spread over folders of at most a thousand jobs. */
export function jobLogPath(home: string, seq: number, attempt: number): string {
  const millions = String(Math.floor(seq / 1_000_000)).padStart(3, "0");
  const thousands = String(Math.floor(seq / 1000) % 1000).padStart(3, "0");
  return join(home, "logs", "jobs", millions, thousands, `${seq}-${attempt}.log`);
}

/** Makes the home folder if it is missing, so that it survives a power cut and nobody else can read it. */
export function ensureHome(home: string): void {
  try {
    if (statSync(home, { throwIfNoEntry: false })?.isDirectory()) return;
    mkdirSync(home, { recursive: true, mode: folderMode });
    chmodSync(home, folderMode);
    const parent = openSync(dirname(home), "r");
    fsyncSync(parent);
    closeSync(parent);
  } catch (error) {
    throw new Refusal(
      "unavailable",
      `the home folder ${home} cannot be made: ${(error as Error).message}`,
      "point QUEUECTL_HOME to a folder that you may write",
    );
  }
}

export function ensureFolderOf(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: folderMode });
}
