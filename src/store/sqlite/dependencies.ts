// Jobs that come after others, in SQLite. A row of `dependencies` waits as long as its child, which then is pending, waits for its parent;
// `unmet` of a job counts those. Whatever settles or removes jobs tells their children in the same transaction.

import { type Parent, parentFailed, type Relatives, verdictOf } from "../../domain/dependencies.ts";
import { isSettled } from "../../domain/job.ts";
import type { GatheredCounts } from "../count-changes.ts";
import { comesLater, noSuchJob } from "../refusals.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";

type Ended = Pick<JobRow, "seq" | "id" | "state">;

interface Link {
  readonly parent: number;
  readonly child: number;
  readonly if_fails: Parent["if_fails"];
}

/** Lets a job that was just stored come after others. */
export function comeAfter(
  connection: Connection,
  row: JobRow,
  parents: readonly Parent[],
  now: number,
): JobRow {
  const { sql } = connection;
  const found = parents.map(({ id, if_fails }) => {
    const parent: Ended | null = sql("select seq, id, state from jobs where id = $id").get({ id });
    if (!parent) throw noSuchJob(id);
    if (parent.seq >= row.seq) throw comesLater(row.id, id);
    sql(`
      insert into dependencies (child, parent, if_fails, waits) values ($child, $parent, $if_fails, 1)
    `).run({ child: row.seq, parent: parent.seq, if_fails });
    return parent;
  });
  sql("update jobs set unmet = $unmet, ready = 0, next_run_at = null where seq = $seq").run({
    unmet: parents.length,
    seq: row.seq,
  });
  const counts = countChanges(connection);
  tellChildren(connection, found.filter(isEnded), { counts, now });
  counts.save();
  return sql("select * from jobs where seq = $seq").get({ seq: row.seq });
}

export const isEnded = ({ state }: Pick<JobRow, "state">) => isSettled(state);

/** Lets those that wait for these jobs go, be cancelled, or wait on; and so on for those that wait for a cancelled one. */
export function tellChildren(
  connection: Connection,
  parents: readonly Ended[],
  { counts, now }: { readonly counts: GatheredCounts; readonly now: number },
): void {
  const { sql } = connection;
  // Mostly nobody waits for anything.
  if (parents.length === 0 || !sql("select 1 from dependencies where waits = 1 limit 1").get()) return;
  for (let ended = parents; ended.length > 0; ) {
    const links: Link[] = sql(`
      select parent, child, if_fails from dependencies
      where waits = 1 and parent in (select value from json_each($parents)) order by parent, child
    `).all({ parents: JSON.stringify(ended.map(({ seq }) => seq)) });
    const bySeq = new Map(ended.map((one) => [one.seq, one]));
    const cancelled: JobRow[] = [];
    const gone = new Set<number>();
    for (const link of links) {
      const parent = bySeq.get(link.parent)!;
      const verdict = gone.has(link.child) ? "wait" : verdictOf(link.if_fails, parent.state);
      if (verdict === "go") meet(connection, link, now);
      if (verdict !== "cancel") continue;
      gone.add(link.child);
      const [before, after] = giveUp(connection, link.child, parentFailed(parent), now);
      counts.move(before, after);
      cancelled.push(after);
    }
    ended = cancelled;
  }
}

function meet({ sql }: Connection, { parent, child }: Link, now: number): void {
  sql("update dependencies set waits = 0 where child = $child and parent = $parent").run({ child, parent });
  sql(`
    update jobs set
      unmet = unmet - 1, ready = unmet = 1 and run_at <= $now and not held and not parked,
      next_run_at = iif(unmet = 1 and not held and not parked, max(run_at, $now), null), updated_at = $now
    where seq = $child
  `).run({ child, now });
}

function giveUp(connection: Connection, seq: number, error: string, now: number): [JobRow, JobRow] {
  const { sql } = connection;
  const before: JobRow = sql("select * from jobs where seq = $seq").get({ seq });
  waitNoMore(connection, before);
  const after: JobRow = sql(`
    update jobs set
      state = 'cancelled', ready = 0, held = 0, parked = 0, unmet = 0, next_run_at = null, last_error = $error,
      finished_at = $now, updated_at = $now
    where seq = $seq returning *
  `).get({ seq, error, now });
  return [before, after];
}

/** For a job whose `unmet` becomes 0, whatever its parents do. */
export function waitNoMore({ sql }: Connection, { seq, unmet }: JobRow): void {
  if (unmet > 0) sql("update dependencies set waits = 0 where child = $seq").run({ seq });
}

/** Forgets what removed jobs came after; their own children go on as if they had completed. */
export function forgetRemoved(
  connection: Connection,
  removed: readonly JobRow[],
  changes: { readonly counts: GatheredCounts; readonly now: number },
): void {
  const { sql } = connection;
  const seqs = JSON.stringify(removed.map(({ seq }) => seq));
  sql("delete from dependencies where child in (select value from json_each($seqs))").run({ seqs });
  tellChildren(
    connection,
    removed.map((row) => ({ ...row, state: "completed" })),
    changes,
  );
  sql("delete from dependencies where parent in (select value from json_each($seqs))").run({ seqs });
}

/** Lets the jobs of a batch, which are stored now, come after others. */
export function addStagedParents(
  connection: Connection,
  batch: number,
  changes: { readonly counts: GatheredCounts; readonly now: number },
): void {
  const { sql } = connection;
  if (!sql("select 1 from staged where batch = $batch and after <> '[]' limit 1").get({ batch })) return;
  const wanted = `
    staged join jobs as child using (id), json_each(staged.after) as wish
    left join jobs as parent on parent.id = wish.value ->> 'id' where staged.batch = $batch and staged.after <> '[]'
  `;
  const wrong = sql(`
    select child.id, wish.value ->> 'id' as parent, parent.seq as there from ${wanted}
      and (parent.seq is null or parent.seq >= child.seq) order by place limit 1
  `).get({ batch });
  if (wrong) throw wrong.there === null ? noSuchJob(wrong.parent) : comesLater(wrong.id, wrong.parent);
  sql(`
    insert into dependencies (child, parent, if_fails, waits)
    select child.seq, parent.seq, wish.value ->> 'if_fails', 1 from ${wanted}
  `).run({ batch });
  sql(`
    update jobs set unmet = (select count(*) from dependencies where child = jobs.seq), ready = 0, next_run_at = null
    where id in (select id from staged where batch = $batch and after <> '[]')
  `).run({ batch });
  const ended = sql(`
    select distinct parent.seq, parent.id, parent.state from ${wanted}
      and parent.state in ('completed', 'dead', 'cancelled')
  `).all({ batch });
  tellChildren(connection, ended, changes);
}

export const relatives = ({ sql }: Connection, seq: number, limit: number): Relatives => ({
  after: sql(`
    select jobs.seq, jobs.id, jobs.state, if_fails, waits from dependencies join jobs on jobs.seq = parent
    where child = $seq order by parent
  `)
    .all({ seq })
    .map((row) => ({ ...row, waits: Boolean(row.waits) })),
  before: sql(`
    select jobs.seq, jobs.id, jobs.state from dependencies join jobs on jobs.seq = child
    where parent = $seq order by child limit $limit
  `).all({ seq, limit }),
});
