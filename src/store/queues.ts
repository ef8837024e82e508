// What queuectl asks of a database about queues, under the rules of store.ts; and their rows as domain types, for both stores.

import type { QueueLimits, QueueRules } from "../domain/queue.ts";

export interface Queues {
  /** The queues of which something was said, by name. */
  rules(): Promise<readonly QueueRules[]>;

  /** Changes the limits that are given; null takes one away. Jobs that run go on, also when they are more than may. */
  limit(queue: string, limits: Partial<QueueLimits>): Promise<QueueRules>;

  /** Lets no job of these queues be claimed until they are resumed, except by whoever wants that very job. Harmless twice. */
  pause(queues: readonly string[]): Promise<void>;

  /** Lets them go on. Harmless for queues that are not paused. */
  resume(queues: readonly string[]): Promise<void>;
}

/** A row of `queues`. */
export interface QueueRow {
  readonly queue: string;
  readonly paused_at: number | null;
  readonly concurrency: number | null;
  readonly rate_starts: number | null;
  readonly rate_ms: number | null;
}

export const rulesFrom = (row: QueueRow): QueueRules => ({
  queue: row.queue,
  paused_at: row.paused_at,
  concurrency: row.concurrency,
  rate: row.rate_starts === null ? null : { starts: row.rate_starts, per: row.rate_ms! / 1000 },
});

/** Columns of the limits that are given, and whether each is. */
export const limitColumns = ({ concurrency, rate }: Partial<QueueLimits>) => ({
  concurrency: concurrency ?? null,
  setsConcurrency: concurrency !== undefined,
  rate_starts: rate?.starts ?? null,
  rate_ms: rate ? Math.round(rate.per * 1000) : null,
  setsRate: rate !== undefined,
});
