// Jobs that come after others, in PostgreSQL; as in SQLite, and by the function `queuectl.tell_children` of the schema. Parents are locked
// before their state is read, so that none settles unseen between that and the commit.

import type { SQL } from "bun";
import type { Parent, Relatives } from "../../domain/dependencies.ts";
import { isSettled } from "../../domain/job.ts";
import { comesLater, noSuchJob } from "../refusals.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { jobRow, type Row } from "./rows.ts";

/** Lets a job that was just stored come after others. */
export async function addParents(
  connection: Connection,
  tx: SQL,
  row: JobRow,
  parents: readonly Parent[],
): Promise<JobRow> {
  if (parents.length === 0) return row;
  const ids = parents.map(({ id }) => id);
  const found: Row[] = await tx`
    select seq, id, state from queuectl.jobs where id = any(${tx.array(ids, "TEXT")}) order by seq for share
  `;
  const missing = ids.find((id) => !found.some((one) => one.id === id));
  if (missing !== undefined) throw noSuchJob(missing);
  await tx`
    insert into queuectl.dependencies (child, parent, if_fails, waits)
    select ${row.seq}, jobs.seq, wish.if_fails, true
    from jsonb_to_recordset(${parents}::jsonb) as wish(id text, if_fails text) join queuectl.jobs using (id)
  `;
  await tx`
    update queuectl.jobs set unmet = ${parents.length}, ready = false, next_run_at = null where seq = ${row.seq}
  `;
  await tellChildren(
    connection,
    tx,
    found.filter(({ state }) => isSettled(state)).map(({ seq }) => Number(seq)),
  );
  const [stored] = await tx`select * from queuectl.jobs where seq = ${row.seq}`;
  return jobRow(stored);
}

/** Lets those that wait for these settled jobs go, be cancelled, or wait on; and so on for those that wait for a cancelled one. */
export async function tellChildren(
  connection: Connection,
  tx: SQL,
  seqs: readonly number[],
  { areRemoved = false } = {},
): Promise<void> {
  if (seqs.length === 0) return;
  const [{ cancelled }] = await tx`
    select queuectl.tell_children(
      ${tx.array([...seqs], "BIGINT")}, ${areRemoved}, coalesce(${connection.at()}::bigint, queuectl.now_ms())
    ) as cancelled
  `;
  const counts = countChanges();
  for (const { queue, state, jobs } of cancelled ?? []) counts.addMany(queue, state, jobs);
  await counts.save(tx);
}

/** For jobs whose `unmet` becomes 0, whatever their parents do. */
export async function waitNoMore(tx: SQL, rows: readonly JobRow[]): Promise<void> {
  const seqs = rows.filter(({ unmet }) => unmet > 0).map(({ seq }) => seq);
  if (seqs.length === 0) return;
  await tx`update queuectl.dependencies set waits = false where child = any(${tx.array(seqs, "BIGINT")})`;
}

/** Forgets what removed jobs came after; their own children go on as if they had completed. */
export async function forgetRemoved(connection: Connection, tx: SQL, seqs: readonly number[]): Promise<void> {
  const removed = tx.array([...seqs], "BIGINT");
  await tx`delete from queuectl.dependencies where child = any(${removed})`;
  await tellChildren(connection, tx, seqs, { areRemoved: true });
  await tx`delete from queuectl.dependencies where parent = any(${removed})`;
}

/** Lets the jobs of a batch, which are stored now, come after others. */
export async function addStagedParents(connection: Connection, tx: SQL, batch: string): Promise<void> {
  const [any] = await tx`select from queuectl.staged where batch = ${batch} and after <> '[]' limit 1`;
  if (!any) return;
  // Each parent is asked for by itself (`limit 1`): the planner takes a wish for a hundred and would walk through all jobs for each.
  const wishes = tx`
    queuectl.staged join queuectl.jobs as child using (id)
    cross join lateral jsonb_to_recordset(staged.after::jsonb) as wish(id text, if_fails text)
    left join lateral (select seq, state from queuectl.jobs where jobs.id = wish.id limit 1) as parent on true
  `;
  await tx`
    select from queuectl.jobs where seq in (
      select parent.seq from ${wishes} where staged.batch = ${batch} and staged.after <> '[]'
    ) order by seq for share
  `;
  const [wrong] = await tx`
    select child.id, wish.id as parent, parent.seq as there from ${wishes}
    where staged.batch = ${batch} and staged.after <> '[]' and (parent.seq is null or parent.seq >= child.seq)
    order by place limit 1
  `;
  if (wrong) throw wrong.there === null ? noSuchJob(wrong.parent) : comesLater(wrong.id, wrong.parent);
  await tx`
    insert into queuectl.dependencies (child, parent, if_fails, waits)
    select child.seq, parent.seq, wish.if_fails, true from ${wishes}
    where staged.batch = ${batch} and staged.after <> '[]'
  `;
  await tx`
    update queuectl.jobs set
      unmet = (select count(*) from queuectl.dependencies where child = jobs.seq), ready = false, next_run_at = null
    where id in (select id from queuectl.staged where batch = ${batch} and after <> '[]')
  `;
  const ended: Row[] = await tx`
    select distinct parent.seq from ${wishes}
    where staged.batch = ${batch} and staged.after <> '[]' and parent.state in ('completed', 'dead', 'cancelled')
  `;
  await tellChildren(
    connection,
    tx,
    ended.map(({ seq }) => Number(seq)),
  );
}

export async function relatives(sql: SQL, seq: number, limit: number): Promise<Relatives> {
  const after: Row[] = await sql`
    select jobs.seq, jobs.id, jobs.state, if_fails, waits from queuectl.dependencies join queuectl.jobs on jobs.seq = parent
    where child = ${seq} order by parent
  `;
  const before: Row[] = await sql`
    select jobs.seq, jobs.id, jobs.state from queuectl.dependencies join queuectl.jobs on jobs.seq = child
    where parent = ${seq} order by child limit ${limit}
  `;
  const numbered = (row: Row) => ({ ...row, seq: Number(row.seq) });
  return { after: after.map(numbered), before: before.map(numbered) };
}
