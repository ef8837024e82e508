// Figures from the kept counts: the same cost with ten jobs and with ten million.

import { jobStates } from "../../domain/job.ts";
import { type StatsFacts, statsFrom } from "../../domain/stats.ts";
import type { StatsReader } from "../store.ts";
import type { Connection } from "./connection.ts";
import { queueCounts } from "./queue-counts.ts";
import { durationUnder, throughput } from "./run-history.ts";

export function stats(connection: Connection): StatsReader {
  const { sql, read, clock } = connection;
  return {
    read: () =>
      read(() => {
        const counts = sql("select state, sum(jobs) as jobs, sum(ms) as ms from counts group by state").all();
        const totals = sql("select name, value from totals").all();
        const workers = sql("select count(*) as n from workers").get().n;
        const total = (name: string) => totals.find((row) => row.name === name)?.value ?? 0;
        const perState = jobStates.map((state) => [
          state,
          counts.find((row) => row.state === state)?.jobs ?? 0,
        ]);
        return statsFrom({
          ...Object.fromEntries(perState),
          active_workers: workers,
          success_runs: total("success_runs"),
          failed_runs: total("failed_runs"),
          completed_ms: counts.find((row) => row.state === "completed")?.ms ?? 0,
        } as StatsFacts);
      }),

    throughput: (span) => read(() => throughput(connection, span, clock())),

    durationUnder: (part) => read(() => durationUnder(connection, part, clock())),

    queues: () => read(() => queueCounts(connection)),

    outstanding: (queues) => read(() => unsettled(connection, queues)),

    expected: (queues) => read(() => unsettled(connection, queues) - heldBack(connection, queues)),
  };
}

const isAsked = "($queues is null or queue in (select value from json_each($queues)))";

const asked = (queues: readonly string[] | null) => ({
  queues: queues === null ? null : JSON.stringify(queues),
});

const unsettled = ({ sql }: Connection, queues: readonly string[] | null): number =>
  sql(`
    select coalesce(sum(jobs), 0) as n from counts where state in ('pending', 'processing', 'failed') and ${isAsked}
  `).get(asked(queues)).n;

/**
 * Jobs that nothing but a user's word lets run: all that wait in a paused queue, those that are held, those that wait for one that failed or
 * waits in a paused queue, and what comes after them.
 */
const heldBack = ({ sql }: Connection, queues: readonly string[] | null): number =>
  sql(`
    with recursive stuck (seq) as (
      select seq from jobs where held = 1
      union
      select child from dependencies join jobs on jobs.seq = parent
      where waits = 1 and (state in ('dead', 'cancelled') or state in ('pending', 'failed') and queue in (${paused}))
      union
      select child from stuck join dependencies on parent = stuck.seq where waits = 1
    )
    select
      (select count(*) from stuck join jobs using (seq) where queue not in (${paused}) and ${isAsked})
      + (select coalesce(sum(jobs), 0) from counts where state in ('pending', 'failed') and queue in (${paused}) and ${isAsked}) as n
  `).get(asked(queues)).n;

const paused = "select queue from queues where paused_at is not null";
