// The steps that changes of jobs are made of in PostgreSQL, their counts along: cancelled, made pending, removed.

import type { SQL } from "bun";
import type { RemovedJob } from "../jobs.ts";
import { type JobRow, legibleJob, legibleTags } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { forgetRemoved, tellChildren, waitNoMore } from "./dependencies.ts";
import { giveUpOutput } from "./output.ts";
import { jobRow, type Row } from "./rows.ts";

/** Waiting jobs are cancelled with this; running ones are marked for their workers. */
export async function markCancelled(connection: Connection, tx: SQL, rows: readonly JobRow[]) {
  const waiting = rows.filter(({ state }) => state !== "processing");
  await waitNoMore(tx, waiting);
  const updated = await tx`
    update queuectl.jobs set
      cancel_requested_at = case when state = 'processing' then coalesce(cancel_requested_at, now) end,
      finished_at = case when state = 'processing' then finished_at else now end,
      next_run_at = null, ready = false, held = false, parked = false, unmet = 0, updated_at = now,
      state = case when state = 'processing' then state else 'cancelled' end
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where seq = any(${tx.array(seqsOf(rows), "BIGINT")}) returning jobs.*
  `;
  await tellChildren(connection, tx, seqsOf(waiting));
  return moved(tx, rows, updated);
}

export async function makePending(connection: Connection, tx: SQL, rows: readonly JobRow[]) {
  await waitNoMore(tx, rows);
  const updated = await tx`
    update queuectl.jobs set
      state = 'pending', ready = true, held = false, parked = false, unmet = 0, attempts = 0, lost_in_row = 0, next_run_at = now,
      updated_at = now, finished_at = null, cancel_requested_at = null
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where seq = any(${tx.array(seqsOf(rows), "BIGINT")}) returning jobs.*
  `;
  return moved(tx, rows, updated);
}

export const seqsOf = (rows: readonly JobRow[]) => rows.map(({ seq }) => seq);

/** Counts what an update changed, and gives the jobs in the order they were asked for. */
export async function moved(tx: SQL, before: readonly JobRow[], updated: Row[]) {
  const counts = countChanges();
  const after = new Map(updated.map(jobRow).map((row) => [row.seq, row]));
  const changed = before.map((row) => {
    const next = after.get(row.seq)!;
    counts.move(row, next);
    return legibleJob(next);
  });
  await counts.save(tx);
  return changed;
}

export async function remove(
  connection: Connection,
  tx: SQL,
  rows: readonly JobRow[],
): Promise<RemovedJob[]> {
  if (rows.length === 0) return [];
  const counts = countChanges();
  for (const row of rows) counts.add(row, -1);
  const seqs = tx.array(seqsOf(rows), "BIGINT");
  const tagged = rows.filter(({ tags }) => tags !== "[]");
  if (tagged.length > 0) {
    const tags = [...new Set(tagged.flatMap((row) => legibleTags(row) ?? []))];
    await tx`
      delete from queuectl.job_tags
      where tag = any(${tx.array(tags, "TEXT")}) and seq = any(${tx.array(seqsOf(tagged), "BIGINT")})
    `;
    const unknown = tagged.filter((row) => legibleTags(row) === undefined);
    // Which they are says only a look at all there are.
    if (unknown.length > 0)
      await tx`delete from queuectl.job_tags where seq = any(${tx.array(seqsOf(unknown), "BIGINT")})`;
  }
  await tx`delete from queuectl.attempts where job_seq = any(${seqs})`;
  await giveUpOutput(tx, seqsOf(rows));
  await tx`delete from queuectl.schedule_runs where job_seq = any(${seqs})`;
  await forgetRemoved(connection, tx, seqsOf(rows));
  await tx`delete from queuectl.jobs where seq = any(${seqs})`;
  await counts.save(tx);
  return rows.map(({ seq, attempt_number }) => ({ seq, attempts: attempt_number }));
}
