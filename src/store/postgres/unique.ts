// Jobs that are enqueued once, in PostgreSQL. Whoever enqueues one locks its key until the commit, and a list locks all keys: so nobody
// looks while another one is about to store the same.

import type { SQL } from "bun";
import type { Unique } from "../../domain/job.ts";
import type { KnownJobs } from "../known-jobs.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { jobRow, type Row } from "./rows.ts";

/** Any number that nobody else uses. */
const allKeys = 1903387758;

/** The newest job that is the same and counts. */
export async function sameJob(connection: Connection, tx: SQL, unique: Unique): Promise<JobRow | undefined> {
  await tx`select pg_advisory_xact_lock_shared(${allKeys}), pg_advisory_xact_lock(${allKeys + 1}, hashtext(${unique.key}))`;
  const [row] = await tx`
    select jobs.* from queuectl.jobs, coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where unique_key = ${unique.key}
      and (state in ('pending', 'processing', 'failed') or created_at > now - ${Math.round(unique.seconds * 1000)}::bigint)
    order by seq desc limit 1
  `;
  return row && jobRow(row);
}

/** Takes the jobs of a list that are there already out of it, in the transaction that stores the others. */
export async function setKnownAside(connection: Connection, tx: SQL, batch: string): Promise<KnownJobs> {
  const [any] =
    await tx`select from queuectl.staged where batch = ${batch} and unique_key is not null limit 1`;
  if (!any) return new Map();
  await tx`select pg_advisory_xact_lock(${allKeys})`;
  const rows: Row[] = await tx`
    select place, min(place) over (partition by unique_key) as first, (
      select jobs.id from queuectl.jobs
      where jobs.unique_key = staged.unique_key
        and (jobs.state in ('pending', 'processing', 'failed') or jobs.created_at > now - staged.unique_ms)
      order by jobs.seq desc limit 1
    ) as there
    from queuectl.staged, coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where batch = ${batch} and unique_key is not null
  `;
  const known = new Map(
    rows.flatMap(({ place, first, there }): [number, string | number][] =>
      there !== null ? [[place, there]] : first < place ? [[place, first]] : [],
    ),
  );
  await tx`
    delete from queuectl.staged where batch = ${batch} and place = any(${tx.array([...known.keys()], "INTEGER")})
  `;
  return known;
}
