// What is looked at while a soak runs, and how drift is told from noise.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Sample {
  /** Since the beginning. */
  readonly seconds: number;
  /** Runs that ended since the sample before, by the second. */
  readonly runs_per_second: number;
  readonly worker_mb: number;
  readonly web_mb: number;
  readonly worker_files: number;
  readonly web_files: number;
  readonly wal_mb: number;
  readonly database_mb: number;
  readonly logs_mb: number;
  readonly jobs: number;
}

export type Measure = Exclude<keyof Sample, "seconds">;

/** How far the end may lie above the middle: a part of it, and so much besides. Null: a rate, which may not fall. */
const slack: Readonly<Record<Measure, { part: number; more: number } | null>> = {
  runs_per_second: null,
  worker_mb: { part: 0.1, more: 5 },
  web_mb: { part: 0.1, more: 10 },
  worker_files: { part: 0, more: 3 },
  web_files: { part: 0, more: 3 },
  wal_mb: { part: 0.1, more: 8 },
  database_mb: { part: 0.1, more: 4 },
  logs_mb: { part: 0.25, more: 2 },
  jobs: { part: 0.25, more: 100 },
};

export const measures = Object.keys(slack) as readonly Measure[];

/** A rate of a machine that others use too may fall to this part before it counts. */
const leastRate = 0.75;

export interface Drift {
  readonly measure: Measure;
  /** Medians of the second and of the last quarter. */
  readonly before: number;
  readonly after: number;
  readonly isLevel: boolean;
}

/** What the last quarter is like beside the second one: the first is for warming up, and for the first jobs to grow old. */
export function driftOf(samples: readonly Sample[]): Drift[] {
  const quarter = Math.floor(samples.length / 4);
  return measures.map((measure) => {
    const before = median(samples.slice(quarter, 2 * quarter).map((sample) => sample[measure]));
    const after = median(samples.slice(-quarter).map((sample) => sample[measure]));
    const allowed = slack[measure];
    const isLevel =
      allowed === null ? after >= before * leastRate : after <= before * (1 + allowed.part) + allowed.more;
    return { measure, before, after, isLevel };
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** What a process has in memory, with its part of what it shares. */
export const memoryOf = (pid: number) =>
  Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024;

export const openFilesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

export const megabytesOf = (path: string) =>
  (statSync(path, { throwIfNoEntry: false })?.size ?? 0) / 1024 ** 2;

/** All files below a folder; some may go while it is walked. */
export const megabytesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + megabytesOf(join(parentPath, name)), 0);
