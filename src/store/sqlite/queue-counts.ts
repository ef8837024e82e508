// Each queue's jobs by state, and since when its oldest due job waits: a few steps down an index for each queue.

import { jobStates } from "../../domain/job.ts";
import type { QueueCounts } from "../../domain/overview.ts";
import type { Connection } from "./connection.ts";

export function queueCounts({ sql, clock }: Connection): QueueCounts[] {
  const rows: { queue: string; state: string; jobs: number }[] = sql(
    "select queue, state, jobs from counts where jobs > 0 order by queue",
  ).all();
  const now = clock();
  return Array.from(
    Map.groupBy(rows, ({ queue }) => queue),
    ([queue, states]) => {
      const counts = Object.fromEntries(
        jobStates.map((state) => [state, states.find((row) => row.state === state)?.jobs ?? 0]),
      ) as Omit<QueueCounts, "queue" | "oldest_waiting_at">;
      const waits = counts.pending + counts.failed > 0;
      return { queue, ...counts, oldest_waiting_at: waits ? oldestWaiting(sql, queue, now) : null };
    },
  );
}

/**
 * Of the jobs that are ready, the first in turn at each priority; and the one that fell due first among those that no worker has
 * made ready yet.
 */
function oldestWaiting(sql: Connection["sql"], queue: string, now: number): number | null {
  const { ready } = sql(`
    select min((
      select next_run_at from jobs where queue = $queue and ready = 1 and priority = level.value order by seq limit 1
    )) as ready from json_each('[1,2,3,4,5]') as level
  `).get({ queue });
  const { due } = sql(`
    select min(next_run_at) as due from jobs
    where queue = $queue and ready = 0 and next_run_at is not null and next_run_at <= $now
  `).get({ queue, now });
  if (ready === null) return due;
  return due === null ? ready : Math.min(ready, due);
}
