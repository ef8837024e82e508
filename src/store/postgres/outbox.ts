// What alerts are to tell of, on its way into a message, in PostgreSQL. What became of jobs is written by the function
// `queuectl.note_ended` of the schema.

import type { SQL } from "bun";
import { namedThings, planGathering } from "../../domain/alert.ts";
import { type NewMessage, newMessage, type OutboxGroup, type OutboxRow } from "../alerts.ts";
import type { Row } from "./rows.ts";

/** Makes messages of what lies here. Returns when there is more to do; null when nobody can say. To be called in a transaction. */
export async function gather(tx: SQL, now: number): Promise<number | null> {
  await tx`delete from queuectl.outbox where alert not in (select name from queuectl.alerts)`;
  // Of two who gather at once, one gets an alert, and the other leaves it alone.
  const locked: Row[] = await tx`
    select name from queuectl.alerts where not paused and name in (select alert from queuectl.outbox)
    order by name for update skip locked
  `;
  const names = locked.map(({ name }) => name);
  const rows: Row[] = await tx`
    select outbox.alert, event, gather, count(*) as rows, sum(count) as count,
      (
        select max(created_at) from queuectl.deliveries
        where deliveries.alert = outbox.alert and deliveries.event = outbox.event
      ) as last_at,
      (
        select count(*) from queuectl.deliveries where deliveries.alert = outbox.alert and due_at is not null
      ) as waiting
    from queuectl.outbox join queuectl.alerts on alerts.name = outbox.alert
    where outbox.alert = any(${tx.array(names, "TEXT")})
    group by outbox.alert, event, gather
  `;
  const next: number[] = [];
  for (const row of rows) {
    const group: OutboxGroup = {
      ...row,
      rows: Number(row.rows),
      count: Number(row.count),
      last_at: row.last_at === null ? null : Number(row.last_at),
      waiting: Number(row.waiting),
    };
    const at = await gatherGroup(tx, group, now);
    if (at !== null) next.push(at);
  }
  return next.length > 0 ? Math.min(...next) : null;
}

async function gatherGroup(tx: SQL, group: OutboxGroup, now: number): Promise<number | null> {
  const { alert, event } = group;
  const plan = planGathering(group, group, now);
  const first = async (limit: number): Promise<OutboxRow[]> => {
    const rows: Row[] = await tx`
      select id, happened_at, count, about from queuectl.outbox
      where alert = ${alert} and event = ${event} order by happened_at, id limit ${limit}
    `;
    return rows.map((row) => ({ ...row, happened_at: Number(row.happened_at), count: Number(row.count) }));
  };
  const make = ({ id, message }: NewMessage) => tx`
    insert into queuectl.deliveries (id, alert, event, message, created_at, due_at)
    values (${id}, ${alert}, ${event}, ${message}, ${now}, ${now})
  `;
  switch (plan.kind) {
    case "each": {
      const rows = await first(group.rows);
      for (const row of rows) await make(newMessage(group, [row], 1));
      await removeOnly(tx, rows);
      return null;
    }
    case "one": {
      const named = await first(namedThings);
      // More may have been committed since they were counted.
      const removed: Row[] = await tx`
        delete from queuectl.outbox where alert = ${alert} and event = ${event} returning count
      `;
      const count = removed.reduce((sum, row) => sum + Number(row.count), 0);
      await make(newMessage(group, named, count));
      return null;
    }
    case "later":
      if (group.rows > namedThings) await shrink(tx, group, await first(namedThings));
      return plan.at;
    default:
      return plan satisfies never;
  }
}

const idsOf = (tx: SQL, rows: readonly OutboxRow[]) =>
  tx.array(
    rows.map(({ id }) => id),
    "TEXT",
  );

const removeOnly = (tx: SQL, rows: readonly OutboxRow[]) =>
  tx`delete from queuectl.outbox where id = any(${idsOf(tx, rows)})`;

/** Lets only these rows be left, the last of them standing for the others too: however much happens, little lies here. */
const shrink = (tx: SQL, { alert, event }: OutboxGroup, kept: readonly OutboxRow[]) => tx`
  with others as (
    delete from queuectl.outbox
    where alert = ${alert} and event = ${event} and not id = any(${idsOf(tx, kept)}) returning count
  )
  update queuectl.outbox set count = count + (select coalesce(sum(count), 0) from others) where id = ${kept.at(-1)!.id}
`;
