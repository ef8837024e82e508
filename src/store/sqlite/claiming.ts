// Idle workers get jobs in SQLite: those whose turn it is (in-turn.ts) become theirs.

import { claimedFrom, givenOf, type TurnResult, type Unreadable, type Wanted } from "../leases.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { forGiven } from "./given-rows.ts";
import { anyDue, nextDueAt, nextInTurn, openQueues, promote, takeable } from "./in-turn.ts";
import { recordStarts } from "./rates.ts";

/** A claim that cannot give anything takes no lock and writes nothing. */
export function nothingToClaim(connection: Connection, wanted: Wanted): TurnResult | undefined {
  const now = connection.clock();
  const open = openQueues(connection, wanted);
  if (anyDue(open, now)) return undefined;
  const one = { ...wanted, worker_ids: wanted.worker_ids.slice(0, 1) };
  if (nextInTurn(connection, one, open, now).length > 0) return undefined;
  return { stale: [], settled: [], claimed: [], next_due_at: nextDueAt(connection, wanted, open, now) };
}

export interface Claim extends Pick<TurnResult, "claimed" | "next_due_at" | "expelled"> {
  /** How those ended that became somebody's and cannot be read, to be settled in the same transaction. */
  readonly unreadable: readonly Unreadable[];
}

export function claim(connection: Connection, wanted: Wanted, now: number): Claim {
  let open = openQueues(connection, wanted);
  if (wanted.only === undefined && anyDue(open, now)) {
    if (!promote(connection, open, now)) return { claimed: [], unreadable: [], next_due_at: now };
    open = openQueues(connection, wanted);
  }
  const host = hostOf(connection, wanted.worker_ids[0]!);
  if (host === null) {
    // Before anything is parked behind what is not claimed then.
    const expelled = nextInTurn(connection, wanted, open, now).length > 0 && { expelled: true as const };
    return {
      claimed: [],
      unreadable: [],
      next_due_at: nextDueAt(connection, wanted, open, now),
      ...expelled,
    };
  }
  const { jobs, more } = takeable(connection, wanted, open, now);
  const { claimed, unreadable } = givenOf(take(connection, jobs, { ...wanted, host, now }), claimedFrom);
  recordStarts(connection, jobs, open, now);
  const hungry = claimed.length < wanted.worker_ids.length;
  const isAgain = more || unreadable.length > 0;
  return {
    claimed,
    unreadable,
    next_due_at: hungry ? (isAgain ? now : nextDueAt(connection, wanted, open, now)) : null,
  };
}

interface Takers extends Pick<Wanted, "worker_ids"> {
  readonly host: string;
  readonly now: number;
}

function take(connection: Connection, jobs: readonly JobRow[], { worker_ids, host, now }: Takers): JobRow[] {
  if (jobs.length === 0) return [];
  const counts = countChanges(connection);
  const rows = jobs.map((job, place): JobRow => {
    const row: JobRow = {
      ...job,
      state: "processing",
      parked: 0,
      next_run_at: null,
      worker_id: worker_ids[place]!,
      lease_seq: job.lease_seq + 1,
      attempt_number: job.attempt_number + 1,
      started_at: now,
      updated_at: now,
      finished_at: null,
    };
    counts.move(job, row);
    return row;
  });
  handOver(connection, rows);
  beginAttempts(
    connection,
    rows.map(({ seq, attempt_number, worker_id, started_at }) => ({
      seq,
      attempt_number,
      worker_id,
      host,
      started_at,
    })),
  );
  counts.save();
  return rows;
}

const handOver = forGiven(
  ["seq", "worker_id", "lease_seq", "attempt_number", "started_at"],
  `
    update jobs set
      state = 'processing', ready = 0, parked = 0, next_run_at = null, worker_id = given.worker_id, lease_seq = given.lease_seq,
      attempt_number = given.attempt_number, started_at = given.started_at, updated_at = given.started_at, finished_at = null
    from given where jobs.seq = given.seq
  `,
);

const beginAttempts = forGiven(
  ["seq", "attempt_number", "worker_id", "host", "started_at"],
  `
    insert into attempts (job_seq, number, worker_id, host, started_at)
    select seq, attempt_number, worker_id, host, started_at from given where seq is not null
  `,
);

/** Where a worker is; workers that claim together are of one process. */
const hostOf = ({ sql }: Connection, worker_id: string): string | null =>
  sql(
    "select (select host from worker_processes where process_id = workers.process_id) as host from workers where id = $worker_id",
  ).get({
    worker_id,
  })?.host ?? null;
