// The logs of jobs that are no more.

import { rmSync } from "node:fs";
import { jobLogPath } from "../home.ts";
import type { RemovedJob } from "../store/store.ts";

export function removeJobLogs(home: string, removed: readonly RemovedJob[]): void {
  for (const { seq, attempts } of removed) {
    for (let attempt = 1; attempt <= attempts; attempt++)
      rmSync(jobLogPath(home, seq, attempt), { force: true });
  }
}
