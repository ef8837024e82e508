// Idle workers get jobs in SQLite: those whose turn it is (in-turn.ts) become theirs.

import type { ClaimedJob } from "../../domain/lease.ts";
import { claimedFrom, type TurnResult, type Wanted } from "../leases.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
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

export function claim(
  connection: Connection,
  wanted: Wanted,
  now: number,
): Pick<TurnResult, "claimed" | "next_due_at" | "expelled"> {
  let open = openQueues(connection, wanted);
  if (wanted.only === undefined && anyDue(open, now)) {
    if (!promote(connection, open, now)) return { claimed: [], next_due_at: now };
    open = openQueues(connection, wanted);
  }
  const host = hostOf(connection, wanted.worker_ids[0]!);
  if (host === null) {
    // Before anything is parked behind what is not claimed then.
    const expelled = nextInTurn(connection, wanted, open, now).length > 0 && { expelled: true as const };
    return { claimed: [], next_due_at: nextDueAt(connection, wanted, open, now), ...expelled };
  }
  const { jobs, more } = takeable(connection, wanted, open, now);
  const claimed = take(connection, jobs, { ...wanted, host, now });
  recordStarts(connection, jobs, open, now);
  const hungry = claimed.length < wanted.worker_ids.length;
  return {
    claimed,
    next_due_at: hungry ? (more ? now : nextDueAt(connection, wanted, open, now)) : null,
  };
}

interface Takers extends Pick<Wanted, "worker_ids"> {
  readonly host: string;
  readonly now: number;
}

function take(
  connection: Connection,
  jobs: readonly JobRow[],
  { worker_ids, host, now }: Takers,
): ClaimedJob[] {
  const { sql } = connection;
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
  const taken = JSON.stringify(
    rows.map(({ seq, worker_id, attempt_number }) => [seq, worker_id, attempt_number]),
  );
  sql(`
    update jobs set
      state = 'processing', ready = 0, parked = 0, next_run_at = null, worker_id = taken.value ->> 1, lease_seq = lease_seq + 1,
      attempt_number = attempt_number + 1, started_at = $now, updated_at = $now, finished_at = null
    from json_each($taken) as taken where seq = taken.value ->> 0
  `).run({ taken, now });
  sql(`
    insert into attempts (job_seq, number, worker_id, host, started_at)
    select value ->> 0, value ->> 2, value ->> 1, $host, $now from json_each($taken)
  `).run({ taken, host, now });
  counts.save();
  return rows.map(claimedFrom);
}

/** Where a worker is; workers that claim together are of one process. */
const hostOf = ({ sql }: Connection, worker_id: string): string | null =>
  sql("select host from workers join worker_processes using (process_id) where workers.id = $worker_id").get({
    worker_id,
  })?.host ?? null;
