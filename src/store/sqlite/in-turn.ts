// Whose turn it is in SQLite: by priority and enqueue order, among the jobs that their queues let start now. A paused queue lets none
// start, a limited one as many as it has room for; and of all jobs with one key one runs at a time.

import type { JobRow } from "../rows.ts";
import type { TurnResult, Wanted } from "../store.ts";
import type { Connection } from "./connection.ts";
import { rateRooms } from "./rates.ts";

/** Most waiting jobs made ready in one transaction: a million that fall due at once must not hold the lock for seconds. */
const promotionBatch = 5000;

/** Most jobs parked in one turn: a million of one key must not hold the lock for seconds. */
const parkingBatch = 1000;

export type WaitingJob = Pick<JobRow, "seq" | "state" | "queue" | "priority" | "key">;

/** The queues asked for in which anything waits and that are not paused. */
const openQueues = `
  select distinct queue from counts
  where state in ('pending', 'failed') and jobs > 0
    and ($queues is null or queue in (select value from json_each($queues)))
    and queue not in (select queue from queues where paused_at is not null)
`;

const queuesText = ({ queues }: Wanted) => (queues === null ? null : JSON.stringify(queues));

/** The jobs whose turn it is: each queue's first few, merged. */
export function nextInTurn(connection: Connection, wanted: Wanted, now: number): WaitingJob[] {
  const { sql } = connection;
  if (wanted.only !== undefined) return onlyThis(connection, wanted.only, now);
  const limit = wanted.worker_ids.length;
  const rooms = roomsOf(connection, now);
  if (wanted.isFair) return fairly(connection, wanted, rooms);
  const free: WaitingJob[] = sql(`
    select jobs.seq, jobs.state, jobs.queue, jobs.priority, jobs.key from (${openQueues}) as open join jobs on jobs.seq in (
      select seq from jobs where queue = open.queue and ready = 1 order by priority desc, seq limit $limit
    )
    where open.queue not in (select value from json_each($limited))
    order by jobs.priority desc, jobs.seq limit $limit
  `).all({ queues: queuesText(wanted), limit, limited: JSON.stringify([...rooms.keys()]) });
  if (rooms.size === 0) return free;
  const open: { queue: string }[] = sql(openQueues).all({ queues: queuesText(wanted) });
  const limited = open.flatMap(({ queue }) =>
    firstOf(connection, queue, Math.min(limit, rooms.get(queue) ?? 0)),
  );
  return [...free, ...limited].sort((a, b) => b.priority - a.priority || a.seq - b.seq).slice(0, limit);
}

/** As if the queues were asked in turn, each time the one of which the fewest run: a queue's next job adds one to what runs of it. */
function fairly(connection: Connection, wanted: Wanted, rooms: ReadonlyMap<string, number>): WaitingJob[] {
  const limit = wanted.worker_ids.length;
  const open: { queue: string; running: number }[] = connection
    .sql(`
      select queue, coalesce(
        (select jobs from counts where counts.queue = open.queue and state = 'processing'), 0
      ) as running
      from (${openQueues}) as open
    `)
    .all({ queues: queuesText(wanted) });
  return open
    .flatMap(({ queue, running }) =>
      firstOf(connection, queue, Math.min(limit, rooms.get(queue) ?? limit)).map((job, place) => ({
        job,
        load: running + place,
      })),
    )
    .sort((a, b) => b.job.priority - a.job.priority || a.load - b.load || a.job.seq - b.job.seq)
    .slice(0, limit)
    .map(({ job }) => job);
}

const firstOf = ({ sql }: Connection, queue: string, limit: number): WaitingJob[] =>
  limit <= 0
    ? []
    : sql(`
        select seq, state, queue, priority, key from jobs where queue = $queue and ready = 1 order by priority desc, seq limit $limit
      `).all({ queue, limit });

export interface Takeable {
  readonly jobs: readonly WaitingJob[];
  /** Whether there may be others, behind jobs that were parked. */
  readonly more: boolean;
}

/** Those of the next in turn whose key nobody has. The others are parked, with more of the same keys, and make room for who is behind them. */
export function takeable(connection: Connection, wanted: Wanted, now: number): Takeable {
  for (let parked = 0; ; ) {
    const next = nextInTurn(connection, wanted, now);
    const jobs: WaitingJob[] = [];
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

const isRunning = ({ sql }: Connection, key: string): boolean =>
  sql("select 1 from jobs where key = $key and state = 'processing'").get({ key }) !== null;

/** Jobs of a key that is taken; those that are about to take it excepted. They are ready again when it is let go of, by triggers of the schema. */
const park = ({ sql }: Connection, key: string, taken: readonly WaitingJob[]): number =>
  sql(`
    update jobs set parked = 1, ready = 0, next_run_at = null where seq in (
      select seq from jobs where key = $key and ready = 1 and seq not in (select value from json_each($taken)) limit ${parkingBatch}
    )
  `).run({ key, taken: JSON.stringify(taken.map(({ seq }) => seq)) }).changes;

/** Somebody waits for this job, so that a pause of its queue does not keep it; a limit and its key do. */
function onlyThis(connection: Connection, only: number, now: number): WaitingJob[] {
  const job: WaitingJob | null = connection
    .sql(
      "select seq, state, queue, priority, key from jobs where seq = $only and (ready = 1 or parked = 1 or next_run_at <= $now)",
    )
    .get({ only, now });
  if (!job || (roomsOf(connection, now).get(job.queue) ?? 1) <= 0) return [];
  return job.key !== null && isRunning(connection, job.key) ? [] : [job];
}

/** How many jobs of each limited queue may start now. */
function roomsOf(connection: Connection, now: number): Map<string, number> {
  const rows: { queue: string; room: number }[] = connection
    .sql(`
      select queue, concurrency - coalesce(
        (select jobs from counts where counts.queue = queues.queue and state = 'processing'), 0
      ) as room
      from queues where concurrency is not null
    `)
    .all();
  const rooms = new Map(rows.map(({ queue, room }) => [queue, room]));
  for (const [queue, { room }] of rateRooms(connection, now))
    rooms.set(queue, Math.min(room, rooms.get(queue) ?? room));
  return rooms;
}

/** A claim that cannot give anything takes no lock and writes nothing. */
export function nothingToClaim(connection: Connection, wanted: Wanted): TurnResult | undefined {
  const now = connection.clock();
  if (nextInTurn(connection, { ...wanted, worker_ids: wanted.worker_ids.slice(0, 1) }, now).length > 0) {
    return undefined;
  }
  const next_due_at = nextDueAt(connection, wanted, now);
  if (next_due_at !== null && next_due_at <= now) return undefined;
  return { stale: [], settled: [], claimed: [], next_due_at };
}

export function nextDueAt(connection: Connection, wanted: Wanted, now: number): number | null {
  const { sql } = connection;
  if (wanted.only !== undefined) {
    const job = sql("select queue, next_run_at from jobs where seq = $only").get({ only: wanted.only });
    const due: number | null = job?.next_run_at ?? null;
    // One that is due and was not claimed waits for room, and that has a moment only where a rate keeps it.
    return due !== null && due <= now ? (rateRooms(connection, now).get(job.queue)?.opensAt ?? null) : due;
  }
  const queues = queuesText(wanted);
  const { due } = sql(`
    select min((
      select min(next_run_at) from jobs where queue = open.queue and ready = 0 and next_run_at is not null
    )) as due
    from (${openQueues}) as open
  `).get({ queues });
  const moments: number[] = due === null ? [] : [due];
  for (const [queue, { opensAt }] of rateRooms(connection, now)) {
    if (opensAt !== null && isAnyReady(connection, queue, queues)) moments.push(opensAt);
  }
  return moments.length === 0 ? null : Math.min(...moments);
}

const isAnyReady = ({ sql }: Connection, queue: string, queues: string | null): boolean =>
  sql(`
    select 1 from (${openQueues}) as open
    where queue = $queue and exists (select 1 from jobs where jobs.queue = open.queue and ready = 1)
  `).get({ queue, queues }) !== null;

/** Makes waiting jobs ready whose moment has come, all of them, so that priority decides among them too. */
export async function promote({ sql, read, write, clock }: Connection, wanted: Wanted): Promise<void> {
  const now = clock();
  const queues = queuesText(wanted);
  const due = `
    select jobs.seq from (${openQueues}) as open join jobs on jobs.queue = open.queue
    where jobs.ready = 0 and jobs.next_run_at is not null and jobs.next_run_at <= $now
  `;
  if (!(await read(() => sql(`${due} limit 1`).get({ queues, now })))) return;
  const ready = `update jobs set ready = 1 where seq in (${due} limit ${promotionBatch})`;
  while ((await write(() => sql(ready).run({ queues, now }).changes)) === promotionBatch);
}
