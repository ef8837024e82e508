// The logs of jobs that are no more.

import { rmSync } from "node:fs";
import { isSystemError } from "../domain/errors.ts";
import { jobLogPath } from "../home.ts";
import type { RemovedJob } from "../store/store.ts";

export function removeJobLogs(home: string, removed: readonly RemovedJob[]): void {
  for (const { seq, attempts } of removed) {
    for (let attempt = 1; attempt <= attempts; attempt++) remove(jobLogPath(home, seq, attempt));
  }
}

/** Its job is gone already: a log that cannot be removed is left to the doctor. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
