// Where output was left out of a log, because there was more of it than is kept: a note beside the log, of a few numbers. The log's
// beginning and its end are kept, and all places in it are counted as if nothing were missing.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Gap } from "./domain/attempt.ts";
import { fileMode } from "./home.ts";

/**
 * What is behind the gap begins in the file at `at`: at `to` while the command writes, the gap being a hole in the file; at `from`
 * once the file is closed up.
 */
export interface GapNote extends Gap {
  readonly at: number;
  /** While the file is being closed up: where the output ends, whatever else the file still has. */
  readonly end?: number | undefined;
}

/** Never the log itself, whatever its name. */
export const gapPath = (logPath: string) => `${logPath.replace(/\.log$/, "")}.gap`;

/** Undefined where nothing was left out. */
export function readGap(logPath: string): GapNote | undefined {
  const path = gapPath(logPath);
  // Nearly always there is none, and to throw for that is dear.
  if (!existsSync(path)) return undefined;
  const match = /^(\d+) (\d+) (\d+)(?: (\d+))?\n$/.exec(textOf(path));
  // A power cut may have left an empty one.
  if (!match) return undefined;
  const [from, to, at, end] = match.slice(1).map((word) => (word === undefined ? undefined : Number(word)));
  return { from: from!, to: to!, at: at!, end };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    // The log was removed in this moment.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

/** Whoever reads finds the note before or this one. */
export function writeGap(logPath: string, { from, to, at, end }: GapNote): void {
  const path = gapPath(logPath);
  const words = [from, to, at, ...(end === undefined ? [] : [end])];
  writeFileSync(`${path}.new`, `${words.join(" ")}\n`, { mode: fileMode });
  renameSync(`${path}.new`, path);
}

export function removeGap(logPath: string): void {
  const path = gapPath(logPath);
  if (existsSync(path)) rmSync(path, { force: true });
}
