// Figures from the kept counts: the same cost with ten jobs and with ten million.

import type { SQL } from "bun";
import { type JobState, jobStates } from "../../domain/job.ts";
import type { QueueCounts } from "../../domain/overview.ts";
import { type StatsFacts, statsFrom } from "../../domain/stats.ts";
import { chartOf, chartRange, durationUnderIn, hourMs } from "../run-bins.ts";
import type { StatsReader } from "../store.ts";
import type { Connection } from "./connection.ts";
import { type Group, groupsOf } from "./counts.ts";
import type { Row } from "./rows.ts";

export function stats({ ask, at }: Connection): StatsReader {
  const nowOf = async (sql: SQL) => at() ?? Number((await sql`select queuectl.now_ms() as now`)[0].now);

  return {
    read: () =>
      ask(async (sql) => {
        const [groups, totals, [workers]] = await Promise.all([
          groupsOf(sql, {}),
          sql`select name, sum(value) as value from queuectl.all_totals group by name`,
          sql`select count(*)::integer as n from queuectl.workers`,
        ]);
        const total = (name: string) => Number(totals.find((row: Row) => row.name === name)?.value ?? 0);
        return statsFrom({
          ...perState(groups),
          active_workers: workers.n,
          success_runs: total("success_runs"),
          failed_runs: total("failed_runs"),
          completed_ms: groups.reduce((sum, { state, ms }) => sum + (state === "completed" ? ms : 0), 0),
        } as StatsFacts);
      }),

    outstanding: (queues) =>
      ask(async (sql) => Number((await sql`select ${unsettled(sql, queues)} as n`)[0].n)),

    expected: (queues) =>
      // In one snapshot: a job that is released in between would be subtracted while it runs.
      ask(async (sql) =>
        Number((await sql`select ${unsettled(sql, queues)} - ${heldBack(sql, queues)} as n`)[0].n),
      ),

    throughput: (span) =>
      ask(async (sql) => {
        const now = await nowOf(sql);
        const { width, bucketMs, first } = chartRange(span, now);
        const rows: Row[] = await sql`
          select start - start % ${bucketMs}::bigint as start, sum(completed) as completed, sum(failed) as failed
          from queuectl.all_run_buckets where width = ${width} and start >= ${first} and start <= ${now} group by 1
        `;
        const found = rows.map(
          ({ start, completed, failed }) =>
            [Number(start), { completed: Number(completed), failed: Number(failed) }] as const,
        );
        return chartOf(span, now, new Map(found));
      }),

    durationUnder: (part) =>
      ask(async (sql) => {
        const rows: Row[] = await sql`
          select bin, sum(runs) as runs from queuectl.all_run_durations
          where hour > ${(await nowOf(sql)) - 24 * hourMs} group by bin order by bin
        `;
        return durationUnderIn(
          rows.map(({ bin, runs }) => ({ bin, runs: Number(runs) })),
          part,
        );
      }),

    queues: () =>
      ask(async (sql) => {
        const groups = Map.groupBy(await groupsOf(sql, {}), ({ queue }) => queue);
        const since = await oldestWaiting(sql, await nowOf(sql));
        return Array.from(
          groups,
          ([queue, states]): QueueCounts => ({
            queue,
            ...(perState(states) as Record<JobState, number>),
            oldest_waiting_at: since.get(queue) ?? null,
          }),
        );
      }),
  };
}

const perState = (groups: readonly Group[]) =>
  Object.fromEntries(
    jobStates.map((state) => [
      state,
      groups.reduce((sum, group) => sum + (group.state === state ? group.jobs : 0), 0),
    ]),
  );

/**
 * Since when each queue's oldest due job waits: of the jobs that are ready, the first in turn at each priority; and the one that fell
 * due first among those that no worker has made ready yet.
 */
async function oldestWaiting(sql: SQL, now: number): Promise<Map<string, number>> {
  const rows: Row[] = await sql`
    select queue, min(since) as since from (
      select ready.queue, (
        select next_run_at from queuectl.jobs
        where jobs.queue = ready.queue and jobs.ready and priority = level order by seq limit 1
      ) as since
      from queuectl.ready_queues() as ready(queue) cross join generate_series(1, 5) as level
      union all
      select waiting.queue, (
        select next_run_at from queuectl.jobs
        where jobs.queue = waiting.queue and not jobs.ready and next_run_at is not null order by next_run_at limit 1
      )
      from queuectl.waiting_queues() as waiting(queue)
    ) as both_kinds
    where since <= ${now} group by queue
  `;
  return new Map(rows.map(({ queue, since }) => [queue, Number(since)]));
}

const isAsked = (sql: SQL, queues: readonly string[] | null) =>
  queues === null ? sql`true` : sql`queue = any(${sql.array([...queues], "TEXT")})`;

const unsettled = (sql: SQL, queues: readonly string[] | null) => sql`(
  select coalesce(sum(jobs), 0) from queuectl.all_counts
  where state in ('pending', 'processing', 'failed') and ${isAsked(sql, queues)}
)`;

/**
 * Jobs that nothing but a user's word lets run: all that wait in a paused queue, those that are held, those that wait for one that failed or
 * waits in a paused queue, and what comes after them.
 */
const heldBack = (sql: SQL, queues: readonly string[] | null) => sql`(
  (
    with recursive stuck (seq) as (
      (
        select seq from queuectl.jobs where held
        union
        select child from queuectl.dependencies join queuectl.jobs on jobs.seq = parent
        where waits and (
          state in ('dead', 'cancelled') or state in ('pending', 'failed') and queue in (${paused(sql)})
        )
      )
      union
      select child from stuck join queuectl.dependencies on parent = stuck.seq where waits
    )
    select count(*) from stuck join queuectl.jobs using (seq)
    where queue not in (${paused(sql)}) and ${isAsked(sql, queues)}
  )
  + (
    select coalesce(sum(jobs), 0) from queuectl.all_counts
    where state in ('pending', 'failed') and queue in (${paused(sql)}) and ${isAsked(sql, queues)}
  )
)`;

const paused = (sql: SQL) => sql`select queue from queuectl.queues where paused_at is not null`;
