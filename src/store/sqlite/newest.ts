// The newest jobs of a state, of a queue, or of all, in SQLite: as quick with millions of others as without, however many queues they are in.

import type { JobFilter } from "../jobs.ts";
import { mostGroups, shareOf } from "../matching.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";

/** The queues and states that a filter wants and that have jobs. */
export const ofGroup = `
  counts.jobs > 0 and ($ofState is null or counts.state = $ofState) and ($ofQueue is null or counts.queue = $ofQueue)
`;

interface Newest extends Pick<JobFilter, "state" | "queue"> {
  /** Only jobs enqueued before this one. */
  readonly before: number;
  /** -1 for all. */
  readonly limit: number;
}

/** Merges the newest of each queue and state that match. */
export function newestOf(connection: Connection, { state, queue, before, limit }: Newest): JobRow[] {
  const { sql } = connection;
  if (state === undefined && queue === undefined)
    return sql("select * from jobs where seq < $before order by seq desc limit $limit").all({
      before,
      limit,
    });
  const wanted = { ofState: state ?? null, ofQueue: queue ?? null, before, limit };
  return sql(`
    select jobs.* from counts join jobs on jobs.seq in (
      select seq from jobs where queue = counts.queue and state = counts.state and seq >= $from and seq < $before
      order by seq desc limit $limit
    )
    where ${ofGroup} order by jobs.seq desc limit $limit
  `).all({ ...wanted, from: leastOf(connection, wanted) });
}

interface Wanted extends Pick<Newest, "before" | "limit"> {
  readonly ofState: string | null;
  readonly ofQueue: string | null;
}

/** From which job on there are as many as are wanted, by a few of the newest of each of many queues: older ones need not be looked at in any. */
function leastOf({ sql }: Connection, { before, limit, ...filter }: Wanted): number {
  const { groups } = sql(`select count(*) as groups from counts where ${ofGroup}`).get(filter);
  if (limit < 0 || groups <= mostGroups) return 0;
  const least: { seq: number } | null = sql(`
    select jobs.seq from counts join jobs on jobs.seq in (
      select seq from jobs where queue = counts.queue and state = counts.state and seq < $before order by seq desc limit $share
    )
    where ${ofGroup} order by jobs.seq desc limit 1 offset $limit - 1
  `).get({ ...filter, before, limit, share: shareOf(limit, groups) });
  return least?.seq ?? 0;
}
