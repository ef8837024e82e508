// The logs of attempts as they lie on the disk, whatever the database says of them.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { attemptOfLog, jobLogsFolder } from "../home.ts";

export interface FoundLog {
  readonly path: string;
  readonly seq: number;
  readonly attempt: number;
}

/** Every log of every attempt, and every note beside one, a folder at a time. What vanishes meanwhile is left out. */
export function* foundJobLogs(home: string): Generator<FoundLog> {
  for (const path of filesBelow(jobLogsFolder(home))) {
    const owner = attemptOfLog(path);
    if (owner) yield { path, ...owner };
  }
}

/** All files below a folder; none when there is no such folder. */
export function* filesBelow(folder: string): Generator<string> {
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
