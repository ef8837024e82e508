// What alerts are to tell of, on its way into a message, in SQLite.

import { randomUUIDv7 } from "bun";
import { type AlertEvent, concerns, namedThings, planGathering } from "../../domain/alert.ts";
import { type NewMessage, newMessage, type OutboxGroup, type OutboxRow } from "../alerts.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";

/** Writes down for the alerts that want to know what became of jobs, in the transaction that changed them. */
export function noteEnded(connection: Connection, rows: readonly JobRow[], now: number): void {
  const ended = rows.filter(({ state }) => state === "dead" || state === "completed");
  if (ended.length === 0) return;
  const alerts = connection.sql("select name, events, queue, tag from alerts where paused = 0").all();
  for (const { name, events, ...wanted } of alerts) {
    const alert = { ...wanted, events: JSON.parse(events) };
    for (const row of ended) {
      const event = row.state as AlertEvent;
      if (!concerns(alert, event, { queue: row.queue, tags: JSON.parse(row.tags) })) continue;
      put(connection, { alert: name, event, about: JSON.stringify(row), now });
    }
  }
}

export interface Happening {
  readonly alert: string;
  readonly event: AlertEvent;
  /** As the outbox has it. */
  readonly about: string;
  readonly now: number;
}

export function put({ sql }: Connection, { alert, event, about, now }: Happening): void {
  sql(`
    insert into outbox (id, alert, event, happened_at, about) values ($id, $alert, $event, $now, $about)
  `).run({ id: randomUUIDv7(), alert, event, about, now });
}

const ofGroup = "alert = $alert and event = $event";

/** Makes messages of what lies here. Returns when there is more to do; null when nobody can say. To be called in a transaction. */
export function gather(connection: Connection, now: number): number | null {
  const { sql } = connection;
  sql("delete from outbox where alert not in (select name from alerts)").run();
  const groups: OutboxGroup[] = sql(`
    select outbox.alert, event, gather, count(*) as rows, sum(count) as count,
      (
        select max(created_at) from deliveries
        where deliveries.alert = outbox.alert and deliveries.event = outbox.event
      ) as last_at,
      (select count(*) from deliveries where deliveries.alert = outbox.alert and due_at is not null) as waiting
    from outbox join alerts on alerts.name = outbox.alert where paused = 0
    group by outbox.alert, event
  `).all();
  const next = groups.map((group) => gatherGroup(connection, group, now)).filter((at) => at !== null);
  return next.length > 0 ? Math.min(...next) : null;
}

function gatherGroup({ sql }: Connection, group: OutboxGroup, now: number): number | null {
  const { alert, event } = group;
  const plan = planGathering(group, group, now);
  const first = (limit: number): OutboxRow[] =>
    sql(`
      select id, happened_at, count, about from outbox where ${ofGroup} order by happened_at, id limit $limit
    `).all({ alert, event, limit });
  const make = ({ id, message }: NewMessage) =>
    sql(`
      insert into deliveries (id, alert, event, message, created_at, due_at)
      values ($id, $alert, $event, $message, $now, $now)
    `).run({ id, alert, event, message, now });
  switch (plan.kind) {
    case "each":
      for (const row of first(group.rows)) make(newMessage(group, [row], 1));
      sql(`delete from outbox where ${ofGroup}`).run({ alert, event });
      return null;
    case "one":
      make(newMessage(group, first(namedThings), group.count));
      sql(`delete from outbox where ${ofGroup}`).run({ alert, event });
      return null;
    case "later":
      if (group.rows > namedThings) shrink(sql, group, first(namedThings));
      return plan.at;
    default:
      return plan satisfies never;
  }
}

/** Lets only these rows be left, the last of them standing for the others too: however much happens, little lies here. */
function shrink(sql: Connection["sql"], { alert, event }: OutboxGroup, kept: readonly OutboxRow[]): void {
  const ids = JSON.stringify(kept.map(({ id }) => id));
  const others = `${ofGroup} and id not in (select value from json_each($ids))`;
  const { count } = sql(`select sum(count) as count from outbox where ${others}`).get({ alert, event, ids });
  sql(`delete from outbox where ${others}`).run({ alert, event, ids });
  sql("update outbox set count = count + $count where id = $id").run({ count, id: kept.at(-1)!.id });
}
