// Queues with a long history, made by plain SQL so that millions of rows take seconds: jobs that finished, that are scheduled for
// next year, and that wait behind the one queue that is measured.

import { Database } from "bun:sqlite";
import { databasePath } from "../src/home.ts";
import type { Home } from "./program.ts";
import { proved } from "./rounds.ts";

export interface Contents {
  readonly finished: number;
  readonly scheduled: number;
  readonly waiting: number;
}

/** Fills the queue of a home that has no job yet. */
export async function fill(home: Home, { finished, scheduled, waiting }: Contents): Promise<void> {
  await home.queuectl(["status"]);
  using db = new Database(databasePath(home.path), { strict: true });
  db.run("pragma synchronous = off; pragma cache_size = -200000; pragma temp_store = memory");
  const now = Date.now();
  const nextYear = now + 365 * 86_400_000;
  db.transaction(() => {
    insert(db, finished, { state: "completed", ready: 0, at: now, next: null });
    insert(db, scheduled, { state: "pending", ready: 0, at: now, next: nextYear });
    insert(db, waiting, { state: "pending", ready: 1, at: now, next: now });
    db.run(`
      insert into attempts (job_seq, number, result, worker_id, host, started_at, finished_at, duration, exit_code)
      select seq, 1, 'exited', 'worker-bench', 'bench', created_at, created_at, 0.001, 0 from jobs where state = 'completed'
    `);
    db.run(`
      insert into counts (queue, state, jobs, ms)
      select queue, state, count(*), case state when 'completed' then count(*) else 0 end from jobs group by queue, state
    `);
  }).immediate();
  db.run("pragma wal_checkpoint(truncate)");
  const { total } = await home.json("status");
  proved("jobs that the queue was filled with", total, finished + scheduled + waiting);
}

interface Rows {
  readonly state: string;
  readonly ready: 0 | 1;
  readonly at: number;
  readonly next: number | null;
}

function insert(db: Database, count: number, { state, ready, at, next }: Rows): void {
  if (count === 0) return;
  const ended = state === "completed" ? at : null;
  db.query(`
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < $count)
    insert into jobs (
      id, command, state, ready, attempts, attempt_number, max_retries, priority, timeout, queue, tags, cwd, env,
      run_at, next_run_at, created_at, updated_at, started_at, finished_at, last_exit_code, last_duration
    )
    select
      lower(hex(randomblob(8))), 'echo ' || n, $state, $ready, $runs, $runs, 3, 1, 3600, 'default', '[]', '/', '{}',
      coalesce($next, $at), $next, $at, $at, $ended, $ended, $exit, $duration
    from numbers
  `).run({
    count,
    state,
    ready,
    at,
    next,
    ended,
    runs: ended === null ? 0 : 1,
    exit: ended === null ? null : 0,
    duration: ended === null ? null : 0.001,
  });
}
