// Figures about the whole queue.

import type { JobState } from "./job.ts";

export interface Stats extends Readonly<Record<JobState, number>> {
  readonly total: number;
  readonly active_workers: number;
  /** Attempts that ever succeeded; does not fall when jobs are removed. */
  readonly success_runs: number;
  /** Charged attempts that ever failed. */
  readonly failed_runs: number;
  /** Completed jobs of completed and dead ones; null when there are none. */
  readonly success_rate: number | null;
  /** Seconds: mean of the completed jobs' last attempts; null when there are none. */
  readonly avg_duration: number | null;
}

/** A part from 0 to 1 in per cent, rounded down: it is 100 only where it is all. */
export const percentText = (part: number) =>
  `${(Math.floor(part * 1000) / 10).toFixed(part === 1 ? 0 : 1)} %`;

export interface StatsFacts extends Readonly<Record<JobState, number>> {
  readonly active_workers: number;
  readonly success_runs: number;
  readonly failed_runs: number;
  /** Milliseconds: sum of the completed jobs' last attempts. */
  readonly completed_ms: number;
}

/** Statistics from what a store counts. */
export function statsFrom({ completed_ms, ...facts }: StatsFacts): Stats {
  const { pending, processing, completed, failed, dead, cancelled } = facts;
  const ended = completed + dead;
  return {
    pending,
    processing,
    completed,
    failed,
    dead,
    cancelled,
    total: pending + processing + completed + failed + dead + cancelled,
    active_workers: facts.active_workers,
    success_runs: facts.success_runs,
    failed_runs: facts.failed_runs,
    success_rate: ended === 0 ? null : completed / ended,
    avg_duration: completed === 0 ? null : Math.round(completed_ms / completed) / 1000,
  };
}
