// What was said of queues, in SQLite.

import { nothingSaid } from "../../domain/queue.ts";
import { limitColumns, type QueueRow, type Queues, rulesFrom } from "../queues.ts";
import type { Connection } from "./connection.ts";

export function queues({ sql, read, write, clock }: Connection): Queues {
  return {
    rules: () => read(() => sql("select * from queues order by queue").all().map(rulesFrom)),

    limit: (queue, limits) =>
      write(() => {
        const { setsConcurrency, setsRate, ...columns } = limitColumns(limits);
        sql(`
          insert into queues (queue, concurrency, rate_starts, rate_ms) values ($queue, $concurrency, $rate_starts, $rate_ms)
          on conflict (queue) do update set
            concurrency = iif($setsConcurrency, excluded.concurrency, concurrency),
            rate_starts = iif($setsRate, excluded.rate_starts, rate_starts),
            rate_ms = iif($setsRate, excluded.rate_ms, rate_ms)
        `).run({
          queue,
          ...columns,
          setsConcurrency: Number(setsConcurrency),
          setsRate: Number(setsRate),
        });
        if (limits.rate === null) sql("delete from queue_starts where queue = $queue").run({ queue });
        forgetUnsaid();
        const row: QueueRow | null = sql("select * from queues where queue = $queue").get({ queue });
        return row ? rulesFrom(row) : nothingSaid(queue);
      }),

    pause: (names) =>
      write(() => {
        sql(`
          insert into queues (queue, paused_at) select value, $now from json_each($names) where true
          on conflict (queue) do update set paused_at = coalesce(paused_at, excluded.paused_at)
        `).run({ names: JSON.stringify(names), now: clock() });
      }),

    resume: (names) =>
      write(() => {
        sql(
          "update queues set paused_at = null where queue in (select value from json_each($names)) and paused_at is not null",
        ).run({ names: JSON.stringify(names) });
        forgetUnsaid();
      }),
  };

  /** Claims look at each row, so there is none without a reason. */
  function forgetUnsaid(): void {
    sql("delete from queues where paused_at is null and concurrency is null and rate_starts is null").run({});
  }
}
