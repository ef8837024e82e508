// What was said of queues, in PostgreSQL.

import type { SQL } from "bun";
import { nothingSaid } from "../../domain/queue.ts";
import { limitColumns, type QueueRow, type Queues, rulesFrom } from "../queues.ts";
import type { Connection } from "./connection.ts";
import type { Notifier } from "./notify.ts";
import { numberOrNull, type Row } from "./rows.ts";

export function queues({ ask, write, at }: Connection, notifier: Notifier): Queues {
  /** Changes something that workers go by, and tells of it. */
  async function change<T>(work: (tx: SQL) => Promise<T>): Promise<T> {
    const done = await write(work);
    notifier.say("work");
    return done;
  }

  return {
    rules: () =>
      ask(async (sql) => {
        const rows: Row[] = await sql`select * from queuectl.queues order by queue`;
        return rows.map((row) => rulesFrom(queueRow(row)));
      }),

    limit: (queue, limits) =>
      change(async (tx) => {
        const { concurrency, setsConcurrency, rate_starts, rate_ms, setsRate } = limitColumns(limits);
        await tx`
          insert into queuectl.queues as kept (queue, concurrency, rate_starts, rate_ms)
          values (${queue}, ${concurrency}::integer, ${rate_starts}::integer, ${rate_ms}::bigint)
          on conflict (queue) do update set
            concurrency = case when ${setsConcurrency} then excluded.concurrency else kept.concurrency end,
            rate_starts = case when ${setsRate} then excluded.rate_starts else kept.rate_starts end,
            rate_ms = case when ${setsRate} then excluded.rate_ms else kept.rate_ms end
        `;
        if (limits.rate === null) await tx`delete from queuectl.queue_starts where queue = ${queue}`;
        await forgetUnsaid(tx);
        const [row] = await tx`select * from queuectl.queues where queue = ${queue}`;
        return row ? rulesFrom(queueRow(row)) : nothingSaid(queue);
      }),

    pause: (names) =>
      change(async (tx) => {
        await tx`
          insert into queuectl.queues as kept (queue, paused_at)
          select queue, coalesce(${at()}::bigint, queuectl.now_ms())
          from unnest(${tx.array([...new Set(names)].sort(), "TEXT")}) as queue
          on conflict (queue) do update set paused_at = coalesce(kept.paused_at, excluded.paused_at)
        `;
      }),

    resume: (names) =>
      change(async (tx) => {
        await tx`
          update queuectl.queues set paused_at = null
          where queue = any(${tx.array([...names], "TEXT")}) and paused_at is not null
        `;
        await forgetUnsaid(tx);
      }),
  };
}

/** Claims look at each row, so there is none without a reason. */
const forgetUnsaid = (tx: SQL) => tx`
  delete from queuectl.queues where paused_at is null and concurrency is null and rate_starts is null
`;

const queueRow = (row: Row): QueueRow => ({
  queue: row.queue,
  paused_at: numberOrNull(row.paused_at),
  concurrency: row.concurrency,
  rate_starts: row.rate_starts,
  rate_ms: numberOrNull(row.rate_ms),
});
