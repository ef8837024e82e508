// Shows a job's output while it grows, attempt after attempt.

import { closeSync, openSync, readSync } from "node:fs";
import type { Attempt } from "../domain/attempt.ts";
import { isSettled, type Job } from "../domain/job.ts";
import { formatSize } from "../domain/settings.ts";
import { jobLogPath } from "../home.ts";
import type { Store } from "../store/store.ts";
import { note, writeOut } from "./output.ts";

/** How often a growing file is read and a running job is looked at. */
const tickMs = 40;

export interface FollowOptions {
  readonly store: Store;
  readonly home: string;
  readonly job: Job;
  /** The first attempt to show. */
  readonly from: number;
  /** Show later attempts too, until the job is settled. */
  readonly onwards: boolean;
  /** Called before the output of each attempt after the first. */
  readonly onAttempt?: (number: number) => void;
}

/** Fulfilled with the job as it was settled, or as it was when nobody read its output any more. */
export async function followJob({ store, home, job, from, onwards, onAttempt }: FollowOptions): Promise<Job> {
  let number = from;
  let copy = copier(jobLogPath(home, job.seq, number));
  for (;;) {
    // The order matters: what is read after an end was seen is all there is.
    const now = await store.jobs.find(job.id);
    const attempts = await store.jobs.attempts(job.seq);
    const attempt = attempts.find((one) => one.number === number);
    if (!(await copy())) return now;
    const over = attempt !== undefined && attempt.result !== null;
    if (over) {
      tellIfCut(attempt);
      if (!onwards || (isSettled(now.state) && number >= attempts.length)) return now;
      if (attempts.length > number || !isSettled(now.state)) {
        number++;
        copy = copier(jobLogPath(home, job.seq, number), 0, () => onAttempt?.(number));
      }
    } else if (attempt === undefined && isSettled(now.state)) {
      return now;
    }
    await Bun.sleep(tickMs);
  }
}

/** That output is missing is a fact for readers, not a line in the output. */
export function tellIfCut(attempt: Attempt): void {
  if (attempt.log_truncated)
    note(`the output was cut at ${formatSize(attempt.log_bytes)} (setting log_limit)`);
}

/** Copies what a file has got beyond `from`, and since the last call, to stdout. False when nobody reads it any more. */
export function copier(path: string, from = 0, onFirst?: () => void): () => Promise<boolean> {
  const buffer = Buffer.alloc(65_536);
  let at = from;
  let first = true;
  return async () => {
    let file: number;
    try {
      file = openSync(path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      return true;
    }
    try {
      for (;;) {
        const length = readSync(file, buffer, 0, buffer.length, at);
        if (length === 0) return true;
        if (first) onFirst?.();
        first = false;
        at += length;
        if (!(await writeOut(buffer.subarray(0, length)))) return false;
      }
    } finally {
      closeSync(file);
    }
  };
}
