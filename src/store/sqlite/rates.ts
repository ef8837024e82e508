// How many jobs of a queue may start within a time, in SQLite. Starts are counted in steps of a thousandth of that time. A start counts until
// its step has ended for that time, so that no stretch of that length ever has more of them than may be.

import type { Connection } from "./connection.ts";
import type { WaitingJob } from "./in-turn.ts";

interface Rated {
  readonly queue: string;
  readonly starts: number;
  readonly ms: number;
}

export interface RateRoom {
  /** How many may start now. */
  readonly room: number;
  /** When one more may, if none may now. */
  readonly opensAt: number | null;
}

const stepOf = (ms: number) => Math.max(1, Math.floor(ms / 1000));

const ratedQueues = ({ sql }: Connection): readonly Rated[] =>
  sql("select queue, rate_starts as starts, rate_ms as ms from queues where rate_starts is not null").all();

/** Of each queue with a rate. What comes from the future, as after the clock was set back, does not count. */
export function rateRooms(connection: Connection, now: number): Map<string, RateRoom> {
  return new Map(ratedQueues(connection).map((rated) => [rated.queue, roomOf(connection, rated, now)]));
}

function roomOf({ sql }: Connection, { queue, starts, ms }: Rated, now: number): RateRoom {
  const steps: { ends_at: number; jobs: number }[] = sql(`
    select ends_at, jobs from queue_starts where queue = $queue and ends_at > $from and ends_at <= $to order by ends_at desc
  `).all({ queue, from: now - ms, to: now + stepOf(ms) });
  let started = 0;
  let opensAt: number | null = null;
  for (const { ends_at, jobs } of steps) {
    if (started < starts && started + jobs >= starts) opensAt = ends_at + ms;
    started += jobs;
  }
  return { room: Math.max(0, starts - started), opensAt };
}

/** Counts jobs that start now, and forgets what counts no more. */
export function recordStarts(connection: Connection, started: readonly WaitingJob[], now: number): void {
  const { sql } = connection;
  for (const { queue, ms } of ratedQueues(connection)) {
    const jobs = started.filter((job) => job.queue === queue).length;
    if (jobs === 0) continue;
    const step = stepOf(ms);
    sql("delete from queue_starts where queue = $queue and ends_at <= $before").run({
      queue,
      before: now - ms,
    });
    sql(`
      insert into queue_starts (queue, ends_at, jobs) values ($queue, $ends_at, $jobs)
      on conflict (queue, ends_at) do update set jobs = jobs + excluded.jobs
    `).run({ queue, ends_at: (Math.floor(now / step) + 1) * step, jobs });
  }
}
