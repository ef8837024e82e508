// A turn as the schema's function `queuectl.exchange` is asked for it, and as it answers: one statement and one round trip.

import type { SQL } from "bun";
import type { JobRow } from "../rows.ts";
import { type Connection, soonMs } from "./connection.ts";
import type { GivenRow } from "./given-out.ts";
import type { Row } from "./rows.ts";
import { isLate } from "./trouble.ts";

/** Most waiting jobs made ready in one transaction: a million that fall due at once must not hold their rows for seconds. */
const promotionBatch = 5000;

/** The last row that `queuectl.exchange` answers with; those before are claimed jobs. */
export interface Answer {
  readonly at: number;
  /** The jobs whose leases were good. */
  readonly settled: readonly number[];
  readonly settled_at: number;
  /** Of those the ones that became something else than what was asked for: a user, or the command itself, had said so. */
  readonly turned: readonly JobRow[] | null;
  readonly due: number | null;
  /** Whether more may be claimed in a moment. */
  readonly crowded: boolean;
  /** Whether a limited queue has more room than before. */
  readonly freed: boolean;
  readonly expelled: boolean;
  /** Whether jobs waited for those that settled. */
  readonly told: boolean;
}

export interface Answered {
  readonly answer: Answer;
  readonly claimed: GivenRow[];
}

/** One turn; `until` by the database's clock, after which nothing is done any more. */
export async function takeTurn(
  { at, queue }: Connection,
  sql: SQL,
  asked: object,
  until: number | null,
): Promise<Answered> {
  const turn = { ...asked, at: at(), promote: promotionBatch, queue, until };
  const rows: Row[] = await sql`select * from queuectl.exchange(${turn}::jsonb)`;
  return { answer: rows.pop().answer, claimed: rows.map(claimedRow) };
}

export function exchanging(connection: Connection): (asked: object) => Promise<Answered> {
  const { ask, tell, at } = connection;
  /** What the database's clock was when this process heard of it; that runs ahead of what follows from it, if anything. */
  let clock: { readonly now: number; readonly heardAt: number } | undefined;

  /** By the database's clock, when nobody will wait any more for the answer to what is asked now. */
  async function waitedForUntil(): Promise<number | null> {
    if (at() !== null) return null;
    if (!clock) {
      const [{ now }] = await ask((sql) => sql`select queuectl.now_ms() as now`, "soon");
      clock = { now: Number(now), heardAt: performance.now() };
    }
    return Math.floor(clock.now + performance.now() - clock.heardAt) + soonMs;
  }

  async function askFor(asked: object): Promise<Answered> {
    const until = await waitedForUntil();
    const answered = await tell((sql) => takeTurn(connection, sql, asked, until), "vital");
    clock = { now: answered.answer.at, heardAt: performance.now() };
    return answered;
  }

  return async (asked) => {
    try {
      return await askFor(asked);
    } catch (error) {
      if (!isLate(error)) throw error;
      // The database's clock was set forward, or this machine slept.
      clock = undefined;
      return askFor(asked);
    }
  };
}

/** What a turn says of a claimed job; all else is the same for each. */
const claimedRow = (row: Row): GivenRow => ({
  seq: Number(row.seq),
  id: row.id,
  command: row.command,
  state: "processing",
  attempts: row.attempts,
  attempt_number: row.attempt_number,
  max_retries: row.max_retries,
  priority: row.priority,
  timeout: row.timeout,
  queue: row.queue,
  tags: row.tags,
  cwd: row.cwd,
  env: row.env,
  rules: row.rules,
  key: row.key,
  held: false,
  parked: false,
  unmet: 0,
  run_at: Number(row.run_at),
  next_run_at: null,
  created_at: Number(row.created_at),
  updated_at: Number(row.started_at),
  started_at: Number(row.started_at),
  finished_at: null,
  last_exit_code: row.last_exit_code,
  last_error: row.last_error,
  last_duration: row.last_duration,
  worker_id: row.worker_id,
  lease_seq: Number(row.lease_seq),
  lost_in_row: row.lost_in_row,
  snooze: null,
  cancel_requested_at: null,
  host: row.host,
});
