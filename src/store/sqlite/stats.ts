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

    outstanding: (queues) =>
      read(
        () =>
          sql(`
            select coalesce(sum(jobs), 0) as n from counts
            where state in ('pending', 'processing', 'failed')
              and ($queues is null or queue in (select value from json_each($queues)))
          `).get({ queues: queues === null ? null : JSON.stringify(queues) }).n,
      ),
  };
}
