// Each queue's jobs by state, and since when its oldest due job waits: a few steps down an index for each queue.

import { jobStates } from "../../domain/job.ts";
import type { QueueCounts } from "../../domain/overview.ts";
import type { Connection } from "./connection.ts";

export function queueCounts({ sql, clock }: Connection): QueueCounts[] {
  const rows: { queue: string; state: string; jobs: number }[] = sql(
    "select queue, state, jobs from counts where jobs > 0 order by queue",
  ).all();
  const groups = Map.groupBy(rows, ({ queue }) => queue);
  const waiting = new Set(
    rows.filter(({ state }) => state === "pending" || state === "failed").map(({ queue }) => queue),
  );
  const since = oldestWaiting(sql, [...waiting], clock());
  return Array.from(groups, ([queue, states]) => {
    const counts = Object.fromEntries(
      jobStates.map((state) => [state, states.find((row) => row.state === state)?.jobs ?? 0]),
    ) as Omit<QueueCounts, "queue" | "oldest_waiting_at">;
    return { queue, ...counts, oldest_waiting_at: since.get(queue) ?? null };
  });
}

/**
 * Of each queue's jobs that are ready, the first in turn at each priority; and the one that fell due first among those that no worker
 * has made ready yet.
 */
function oldestWaiting(sql: Connection["sql"], queues: readonly string[], now: number): Map<string, number> {
  const rows: { queue: string; ready: number | null; due: number | null }[] = sql(`
    select
      waiting.value as queue,
      (
        select min((
          select next_run_at from jobs where queue = waiting.value and ready = 1 and priority = level.value order by seq limit 1
        )) from json_each('[1,2,3,4,5]') as level
      ) as ready,
      (
        select min(next_run_at) from jobs
        where queue = waiting.value and ready = 0 and next_run_at is not null and next_run_at <= $now
      ) as due
    from json_each($queues) as waiting
  `).all({ queues: JSON.stringify(queues), now });
  const known = (moment: number | null) => moment ?? Number.POSITIVE_INFINITY;
  return new Map(
    rows
      .filter(({ ready, due }) => ready !== null || due !== null)
      .map(({ queue, ready, due }) => [queue, Math.min(known(ready), known(due))]),
  );
}
