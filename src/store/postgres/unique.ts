// Jobs that are enqueued once, in PostgreSQL. Whoever enqueues one locks its key until the commit, and a list locks all keys: so nobody
// looks while another one is about to store the same.

import type { SQL } from "bun";
import type { Unique } from "../../domain/keys.ts";
import { type KnownJobs, knownAmong, type Wish } from "../known-jobs.ts";
import { idTaken } from "../refusals.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { lastPlace } from "./matching.ts";
import { jobRow, type Row } from "./rows.ts";

/** Any number that nobody else uses. */
const allKeys = 1903387758;

/**
 * As in SQLite. Told by its place in the index: by equality, the planner takes a walk through all jobs in their order for the cheaper way to
 * the newest of them.
 */
const sameAs = (sql: SQL, key: SQL.Query<unknown>, ms: SQL.Query<unknown>) => sql`(
  select max(seq) from (
    (
      select unique_key, seq, true as counts from queuectl.jobs
      where unique_key is not null and (unique_key, seq) <= (${key}, ${lastPlace}) and state in ('pending', 'processing', 'failed')
      order by unique_key desc, seq desc limit 1
    )
    union all
    (
      select unique_key, seq, abs(now - created_at) < ${ms} from queuectl.jobs
      where unique_key is not null and (unique_key, seq) <= (${key}, ${lastPlace}) order by unique_key desc, seq desc limit 1
    )
  ) as either
  where counts and unique_key = ${key}
)`;

/** The newest job that is the same and counts. */
export async function sameJob(
  connection: Connection,
  tx: SQL,
  { key, seconds }: Unique,
): Promise<JobRow | undefined> {
  await tx`select pg_advisory_xact_lock_shared(${allKeys}), pg_advisory_xact_lock(${allKeys + 1}, hashtext(${key}))`;
  const ms = Math.round(seconds * 1000);
  const [row] = await tx`
    select jobs.* from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    cross join lateral ${sameAs(tx, tx`${key}`, tx`${ms}::bigint`)} as same(seq) join queuectl.jobs using (seq)
  `;
  return row && jobRow(row);
}

/** Refuses to store a job besides one whose id begins so, and keeps others from storing one until the commit. */
export async function refuseAnother(tx: SQL, idBegins: string): Promise<void> {
  await tx`select pg_advisory_xact_lock(${allKeys + 3}, hashtext(${idBegins}))`;
  // "~" sorts behind every character that an id may have.
  const [another] = await tx`
    select id from queuectl.jobs where id >= ${idBegins} and id < ${`${idBegins}~`} limit 1
  `;
  if (another) throw idTaken(another.id);
}

/** Takes the jobs of a list that are there already out of it, in the transaction that stores the others. */
export async function setKnownAside(connection: Connection, tx: SQL, batch: string): Promise<KnownJobs> {
  const [any] =
    await tx`select from queuectl.staged where batch = ${batch} and unique_key is not null limit 1`;
  if (!any) return new Map();
  await tx`select pg_advisory_xact_lock(${allKeys})`;
  const wishes: Row[] = await tx`
    select place, staged.unique_key, there.id as there
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now cross join queuectl.staged
    cross join lateral ${sameAs(tx, tx`staged.unique_key`, tx`staged.unique_ms`)} as same(seq)
    left join queuectl.jobs as there on there.seq = same.seq
    where batch = ${batch} and staged.unique_key is not null order by place
  `;
  const known = knownAmong(wishes as Wish[]);
  await tx`
    delete from queuectl.staged where batch = ${batch} and place = any(${tx.array([...known.keys()], "INTEGER")})
  `;
  return known;
}
