// Whose turn it is in SQLite: by priority and enqueue order, among the jobs that their queues let start now. A paused queue lets none
// start, a limited one as many as it has room for; and of all jobs with one key one runs at a time.

import type { Wanted } from "../leases.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { roomOf } from "./rates.ts";

/** Most waiting jobs made ready in one turn: a million that fall due at once must not hold the lock for seconds. */
const promotionBatch = 5000;

/** Most jobs parked in one turn: a million of one key must not hold the lock for seconds. */
const parkingBatch = 1000;

/** A queue asked for, in which anything waits, and which is not paused. */
export interface OpenQueue {
  readonly queue: string;
  /** How many of its jobs run. */
  readonly running: number;
  /** The next moment that one of its jobs waits for. */
  readonly due_at: number | null;
  readonly concurrency: number | null;
  readonly rate_starts: number | null;
  readonly rate_ms: number | null;
}

/** All that a claim has to know of queues, in one question. */
const factsOf = (queues: string) => `
  select
    open.queue, concurrency, rate_starts, rate_ms,
    coalesce((select jobs from counts where counts.queue = open.queue and state = 'processing'), 0) as running,
    (select min(next_run_at) from jobs where queue = open.queue and ready = 0 and next_run_at is not null) as due_at
  from (${queues}) as open left join queues using (queue)
`;

/** Somebody waits for the one job, so that a pause of its queue does not keep it; a limit and its key do. */
export const openQueues = ({ sql }: Connection, { queues, only }: Wanted): OpenQueue[] =>
  only !== undefined
    ? sql(factsOf("select queue from jobs where seq = $only")).all({ only })
    : sql(`
        ${factsOf(`
          select distinct queue from counts
          where state in ('pending', 'failed') and jobs > 0
            and ($queues is null or queue in (select value from json_each($queues)))
        `)}
        where paused_at is null
      `).all({ queues: queues === null ? null : JSON.stringify(queues) });

const isDue = (now: number) => (queue: OpenQueue) => queue.due_at !== null && queue.due_at <= now;

export const anyDue = (open: readonly OpenQueue[], now: number) => open.some(isDue(now));

/**
 * Makes waiting jobs ready whose moment has come, all of them, so that priority decides among them too. False when there may be more
 * than one turn should bear.
 */
export function promote({ sql }: Connection, open: readonly OpenQueue[], now: number): boolean {
  const queues = JSON.stringify(open.filter(isDue(now)).map(({ queue }) => queue));
  const { changes } = sql(`
    update jobs set ready = 1 where seq in (
      select jobs.seq from json_each($queues) as due cross join jobs on jobs.queue = due.value
      where jobs.ready = 0 and jobs.next_run_at is not null and jobs.next_run_at <= $now limit ${promotionBatch}
    )
  `).run({ queues, now });
  return changes < promotionBatch;
}

export interface Takeable {
  readonly jobs: readonly JobRow[];
  /** Whether there may be others, behind jobs that were parked. */
  readonly more: boolean;
}

/** Those of the next in turn whose key nobody has. The others are parked, with more of the same keys, and make room for who is behind them. */
export function takeable(
  connection: Connection,
  wanted: Wanted,
  open: readonly OpenQueue[],
  now: number,
): Takeable {
  for (let parked = 0; ; ) {
    const next = nextInTurn(connection, wanted, open, now);
    const jobs: JobRow[] = [];
    const keys = new Set<string>();
    const busy = new Set<string>();
    for (const job of next) {
      if (job.key === null) jobs.push(job);
      else if (keys.has(job.key) || isRunning(connection, job.key)) busy.add(job.key);
      else {
        keys.add(job.key);
        jobs.push(job);
      }
    }
    if (busy.size === 0) return { jobs, more: false };
    for (const key of busy) parked += park(connection, key, jobs);
    if (parked >= parkingBatch) return { jobs, more: true };
  }
}

/** The jobs whose turn it is: each queue's first few, merged. */
export function nextInTurn(
  connection: Connection,
  wanted: Wanted,
  open: readonly OpenQueue[],
  now: number,
): JobRow[] {
  if (wanted.only !== undefined) return onlyThis(connection, wanted.only, open, now);
  const limit = wanted.worker_ids.length;
  const first = firstQueues(connection, wanted, open, now).flatMap(({ queue, running, room }) =>
    firstOf(connection, queue, Math.min(limit, room)).map((job, place) => ({
      ...job,
      // As if the queues were asked in turn, each time the one of which the fewest run: its next job adds one to what runs of it.
      load: wanted.isFair ? running + place : 0,
    })),
  );
  const chosen = first
    .sort((a, b) => b.priority - a.priority || a.load - b.load || a.seq - b.seq)
    .slice(0, limit);
  const rows = rowsOf(
    connection,
    chosen.map(({ seq }) => seq),
  );
  const bySeq = new Map(rows.map((row) => [row.seq, row]));
  return chosen.map(({ seq }) => bySeq.get(seq)!);
}

/** The queues with room whose first jobs come first, one for each idle worker: who stands behind another one's first is not chosen. */
function firstQueues(connection: Connection, wanted: Wanted, open: readonly OpenQueue[], now: number) {
  const limit = wanted.worker_ids.length;
  const roomy = open
    .map((one) => ({ queue: one.queue, running: one.running, room: roomIn(connection, one, now) }))
    .filter(({ room }) => room > 0);
  if (roomy.length <= limit) return roomy;
  const places: { place: number }[] = connection
    .sql(`
      select place from (
        select
          open.key as place, open.value ->> 'running' as running,
          (select seq from jobs where queue = open.value ->> 'queue' and ready = 1 order by priority desc, seq limit 1) as seq
        from json_each($queues) as open
      ) cross join jobs using (seq)
      order by priority desc, iif($isFair, running, 0), seq limit $limit
    `)
    .all({ queues: JSON.stringify(roomy), isFair: Number(wanted.isFair ?? false), limit });
  return places.map(({ place }) => roomy[place]!);
}

const firstOf = ({ sql }: Connection, queue: string, limit: number): Pick<JobRow, "seq" | "priority">[] =>
  sql(`
    select seq, priority from jobs where queue = $queue and ready = 1 order by priority desc, seq limit $limit
  `).all({ queue, limit });

/** Those that are there, in any order. */
export const rowsOf = ({ sql }: Connection, seqs: readonly number[]): JobRow[] =>
  seqs.length === 0
    ? []
    : sql("select * from jobs where seq in (select value from json_each($seqs))").all({
        seqs: JSON.stringify(seqs),
      });

/** How many jobs of a queue may start now. */
function roomIn(connection: Connection, open: OpenQueue, now: number): number {
  const { concurrency, running } = open;
  return Math.min(
    concurrency === null ? Number.POSITIVE_INFINITY : concurrency - running,
    roomOf(connection, open, now).room,
  );
}

function onlyThis(connection: Connection, only: number, open: readonly OpenQueue[], now: number): JobRow[] {
  const job: JobRow | null = connection
    .sql("select * from jobs where seq = $only and (ready = 1 or parked = 1 or next_run_at <= $now)")
    .get({ only, now });
  if (!job || open.some((queue) => roomIn(connection, queue, now) <= 0)) return [];
  return job.key !== null && isRunning(connection, job.key) ? [] : [job];
}

const isRunning = ({ sql }: Connection, key: string): boolean =>
  sql("select 1 from jobs where key = $key and state = 'processing'").get({ key }) !== null;

/** Jobs of a key that is taken; those that are about to take it excepted. They are ready again when it is let go of, by triggers of the schema. */
const park = ({ sql }: Connection, key: string, taken: readonly JobRow[]): number =>
  sql(`
    update jobs set parked = 1, ready = 0, next_run_at = null where seq in (
      select seq from jobs where key = $key and ready = 1 and seq not in (select value from json_each($taken)) limit ${parkingBatch}
    )
  `).run({ key, taken: JSON.stringify(taken.map(({ seq }) => seq)) }).changes;

/** When the next job may run that could not be claimed, as far as that is a matter of time. */
export function nextDueAt(
  connection: Connection,
  { only }: Wanted,
  open: readonly OpenQueue[],
  now: number,
): number | null {
  if (only !== undefined) {
    const due: number | null =
      connection.sql("select next_run_at from jobs where seq = $only").get({ only })?.next_run_at ?? null;
    // One that is due and was not claimed waits for room, and that has a moment only where a rate keeps it.
    if (due === null || due > now) return due;
    return open.map((queue) => roomOf(connection, queue, now).opensAt)[0] ?? null;
  }
  const moments = open.flatMap((queue) => [
    queue.due_at,
    queue.rate_starts !== null && firstOf(connection, queue.queue, 1).length > 0
      ? roomOf(connection, queue, now).opensAt
      : null,
  ]);
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.min(...known);
}
