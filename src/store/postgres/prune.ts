// What nobody looks at any more, removed from PostgreSQL in small steps: jobs that finished long ago, figures of long ago and of queues
// that are empty, and what enqueues that were cut off have left.

import type { SQL } from "bun";
import type { Pruning } from "../jobs.ts";
import { hourMs, keptBuckets, keptDurationsMs } from "../run-bins.ts";
import { abandonedMs } from "./bulk-enqueue.ts";
import { remove } from "./change-steps.ts";
import type { Connection } from "./connection.ts";
import { sweepOutput } from "./output.ts";
import { jobRow, type Row } from "./rows.ts";

export function pruning(connection: Connection): Pruning {
  const { ask, write, at } = connection;

  return {
    async prune(before, limit, states = ["completed", "cancelled"]) {
      const removed = await write(async (tx) => {
        const rows: Row[] = [];
        for (const state of states) {
          const finished: Row[] = await tx`
            select * from queuectl.jobs where ${isFinished(tx)} and state = ${state} and finished_at < ${before} and ${isFree(tx)}
            order by finished_at limit ${limit - rows.length} for update skip locked
          `;
          rows.push(...finished);
        }
        const [{ now }] = await tx`select coalesce(${at()}::bigint, queuectl.now_ms()) as now`;
        await forgetOld(tx, Number(now), limit);
        return remove(connection, tx, rows.map(jobRow));
      });
      await sweepOutput(connection);
      return removed;
    },

    finishedBefore: (before, state) =>
      ask(async (sql) => {
        const [row] = await sql`
          select count(*) as jobs from queuectl.jobs
          where ${isFinished(sql)} and state = ${state} and finished_at < ${before} and ${isFree(sql)}
        `;
        return Number(row.jobs);
      }),
  };
}

/** What the index of finished jobs is for: a plan that is made for any state knows it only so. */
function isFinished(sql: SQL) {
  return sql`state in ('completed', 'dead', 'cancelled')`;
}

/** No other job waits for it. */
function isFree(sql: SQL) {
  return sql`not exists (select from queuectl.dependencies where parent = jobs.seq and waits)`;
}

/** By the moment `now`, up to `limit` rows of each kind. */
async function forgetOld(tx: SQL, now: number, limit: number): Promise<void> {
  await tx`select queuectl.add_up()`;
  // Readers add up all rows, so queues that come and go must not leave theirs.
  await tx`
    delete from queuectl.counts where (queue, state) in (
      select queue, state from queuectl.counts where jobs = 0 and ms = 0 limit ${limit} for update skip locked
    )
  `;
  for (const [width, keepMs] of keptBuckets) {
    await tx`
      delete from queuectl.run_buckets where (width, start) in (
        select width, start from queuectl.run_buckets where width = ${width} and start < ${now - keepMs}
        order by start limit ${limit} for update skip locked
      )
    `;
  }
  await tx`
    delete from queuectl.run_durations where (hour, bin) in (
      select hour, bin from queuectl.run_durations where hour < ${now - (now % hourMs) - keptDurationsMs}
      order by hour, bin limit ${limit} for update skip locked
    )
  `;
  await tx`
    delete from queuectl.staged where (batch, place) in (
      select batch, place from queuectl.staged where batch < ${firstBatchSince(now - abandonedMs)}::uuid
      order by batch, place limit ${limit} for update skip locked
    )
  `;
}

/** The least name that an enqueue which began at this moment may have: a UUID of version 7 begins with the moment. */
export const firstBatchSince = (moment: number) =>
  `${moment
    .toString(16)
    .padStart(12, "0")
    .replace(/^(.{8})/, "$1-")}-0000-0000-000000000000`;
