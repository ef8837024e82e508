// How many jobs of a queue may start within a time, in SQLite. Starts are counted in steps of a thousandth of that time. A start counts until
// its step has ended for that time, so that no stretch of that length ever has more of them than may be.

import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import type { OpenQueue } from "./in-turn.ts";

export interface RateRoom {
  /** How many may start now. */
  readonly room: number;
  /** When one more may, if none may now. */
  readonly opensAt: number | null;
}

const stepOf = (ms: number) => Math.max(1, Math.floor(ms / 1000));

/** What a queue's rate leaves. What comes from the future, as after the clock was set back, does not count. */
export function roomOf(
  { sql }: Connection,
  { queue, rate_starts, rate_ms }: OpenQueue,
  now: number,
): RateRoom {
  if (rate_starts === null || rate_ms === null) return { room: Number.POSITIVE_INFINITY, opensAt: null };
  const steps: { ends_at: number; jobs: number }[] = sql(`
    select ends_at, jobs from queue_starts where queue = $queue and ends_at > $from and began_at <= $now order by ends_at desc
  `).all({ queue, from: now - rate_ms, now });
  let started = 0;
  let opensAt: number | null = null;
  for (const { ends_at, jobs } of steps) {
    if (started < rate_starts && started + jobs >= rate_starts) opensAt = ends_at + rate_ms;
    started += jobs;
  }
  return { room: Math.max(0, rate_starts - started), opensAt };
}

/** Counts jobs that start now, where that is limited, and forgets what counts no more. */
export function recordStarts(
  { sql }: Connection,
  started: readonly JobRow[],
  open: readonly OpenQueue[],
  now: number,
): void {
  for (const { queue, rate_ms: ms } of open) {
    if (ms === null) continue;
    const jobs = started.filter((job) => job.queue === queue).length;
    if (jobs === 0) continue;
    const step = stepOf(ms);
    const began_at = Math.floor(now / step) * step;
    sql("delete from queue_starts where queue = $queue and ends_at <= $before").run({
      queue,
      before: now - ms,
    });
    sql(`
      insert into queue_starts (queue, began_at, ends_at, jobs) values ($queue, $began_at, $ends_at, $jobs)
      on conflict (queue, ends_at) do update set jobs = jobs + excluded.jobs
    `).run({ queue, began_at, ends_at: began_at + step, jobs });
  }
}
