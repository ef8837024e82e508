// Alerts in PostgreSQL, and their messages.

import type { SQL } from "bun";
import type { Alert, Delivery } from "../../domain/alert.ts";
import {
  type AlertRow,
  type Alerts,
  alertFrom,
  alertTaken,
  asRow,
  keptDeliveries,
  newAlertFrom,
  noSuchAlert,
  type Share,
  shareWith,
  type Taken,
  type TryOutcome,
  triedForMs,
  wholeShare,
} from "../alerts.ts";
import { legibleJob } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { gather } from "./outbox.ts";
import { jobRow, numberOrNull, type Row } from "./rows.ts";

export function alerts(connection: Connection): Alerts {
  const { ask, write, at } = connection;

  const momentIn = async (sql: SQL): Promise<number> =>
    at() ?? Number((await sql`select queuectl.now_ms() as now`)[0].now);

  const marksOf = (name: string) =>
    ask(async (sql): Promise<ReadonlySet<string>> => {
      const rows: Row[] = await sql`select mark from queuectl.alert_marks where alert = ${name}`;
      return new Set(rows.map(({ mark }) => mark));
    });

  const setPaused = (name: string, paused: boolean) =>
    write(async (tx) => {
      await tx`
        update queuectl.alerts set paused = ${paused}, updated_at = ${await momentIn(tx)}
        where name = ${name} and paused <> ${paused}
      `;
      return find(tx, name);
    });

  return {
    add: (alert) =>
      write(async (tx) => {
        const now = await momentIn(tx);
        const { name, queue, tag, gather, channel, target, secret, cwd } = alert;
        const rows: Row[] = await tx`
          insert into queuectl.alerts (
            name, events, queue, tag, longer_than, more_than, older_than, gather, channel, target, secret, cwd,
            created_at, updated_at
          ) values (
            ${name}, ${JSON.stringify(alert.events)}, ${queue}, ${tag}, ${alert.longer_than}::double precision,
            ${alert.more_than}::integer, ${alert.older_than}::double precision, ${gather}::double precision, ${channel},
            ${target}, ${secret}, ${cwd}, ${now}, ${now}
          ) on conflict (name) do nothing returning name
        `;
        if (rows.length === 0) throw alertTaken(name);
        return find(tx, name);
      }),

    list: () =>
      ask(async (sql) => {
        const rows: Row[] = await sql`${withFigures(sql)} order by name`;
        return rows.map(alertOf);
      }),

    find: (name) => ask((sql) => find(sql, name)),

    pause: (name) => setPaused(name, true),

    resume: (name) => setPaused(name, false),

    remove: (name) =>
      write(async (tx) => {
        const removed: Row[] = await tx`delete from queuectl.alerts where name = ${name} returning name`;
        if (removed.length === 0) throw noSuchAlert(name);
        await tx`delete from queuectl.outbox where alert = ${name}`;
        await tx`delete from queuectl.deliveries where alert = ${name}`;
        await tx`delete from queuectl.alert_marks where alert = ${name}`;
      }),

    deliveries: (name, limit) =>
      ask(async (sql) => {
        const rows: Row[] = await sql`
          select * from queuectl.deliveries where alert = ${name} order by created_at desc, id limit ${limit}
        `;
        return rows.map(deliveryOf);
      }),

    runningSince: (moment) =>
      ask(async (sql) => {
        const rows: Row[] = await sql`
          select * from queuectl.jobs
          where worker_id is not null and state = 'processing' and started_at <= ${Math.floor(moment)} order by seq
        `;
        return rows.map((row) => ({ job: legibleJob(jobRow(row)), attempt: row.attempt_number }));
      }),

    readyJobs: (queue, limit) =>
      ask(async (sql) => {
        const now = await momentIn(sql);
        const [{ n }] = await sql`
          select count(*) as n from (
            (select 1 from queuectl.jobs where queue = ${queue} and ready limit ${limit})
            union all
            (
              select 1 from queuectl.jobs
              where queue = ${queue} and not ready and next_run_at is not null and next_run_at <= ${now} limit ${limit}
            )
            limit ${limit}
          ) as waiting
        `;
        return Number(n);
      }),

    marks: marksOf,

    async stand(name, standing) {
      const known = await marksOf(name);
      if (known.size === standing.length && standing.every(({ mark }) => known.has(mark))) return;
      await write(async (tx) => {
        const [alert] =
          await tx`select name from queuectl.alerts where name = ${name} and not paused for share`;
        if (!alert) return;
        const marks = tx.array(
          standing.map(({ mark }) => mark),
          "TEXT",
        );
        await tx`delete from queuectl.alert_marks where alert = ${name} and not mark = any(${marks})`;
        const now = await momentIn(tx);
        for (const { mark, event, about } of standing) {
          await tx`
            with fresh as (
              insert into queuectl.alert_marks (alert, mark) values (${name}, ${mark}) on conflict do nothing returning mark
            )
            insert into queuectl.outbox (id, alert, event, happened_at, about)
            select gen_random_uuid(), ${name}, ${event}, ${now}::bigint, ${asRow(about)} from fresh
          `;
        }
      });
    },

    async gather() {
      const [some] = await ask((sql) => sql`select 1 from queuectl.outbox limit 1`);
      if (!some) return null;
      return write(async (tx) => gather(tx, await momentIn(tx)));
    },

    async take(limit, share = wholeShare) {
      const now = await ask(momentIn);
      const first = await ask((sql) => nextDueAt(sql, now, share));
      if (first === null || first > now) return { taken: [], next_at: first };
      return write(async (tx) => {
        const taken = await take(tx, limit, now, share);
        return { taken, next_at: await nextDueAt(tx, now, shareWith(share, taken)) };
      });
    },

    settle: (delivery, outcome) => write(async (tx) => settle(tx, delivery, outcome, await momentIn(tx))),
  };
}

/** `last`: the message that was tried last, as JSON. */
const withFigures = (sql: SQL) => sql`
  select alerts.*,
    (select coalesce(sum(count), 0) from queuectl.outbox where alert = alerts.name) as untold,
    (select count(*) from queuectl.deliveries where alert = alerts.name and due_at is not null) as waiting,
    (select count(*) from queuectl.deliveries where alert = alerts.name and state = 'given_up') as given_up,
    (
      select to_jsonb(deliveries) from queuectl.deliveries
      where alert = alerts.name and tried_at is not null order by tried_at desc, id limit 1
    ) as last
  from queuectl.alerts
`;

async function find(sql: SQL, name: string): Promise<Alert> {
  const [row] = await sql`${withFigures(sql)} where name = ${name}`;
  if (!row) throw noSuchAlert(name);
  return alertOf(row);
}

const alertOf = ({ last, ...row }: Row): Alert =>
  alertFrom(
    {
      ...row,
      untold: Number(row.untold),
      waiting: Number(row.waiting),
      given_up: Number(row.given_up),
      created_at: Number(row.created_at),
      updated_at: Number(row.updated_at),
    } as AlertRow,
    last === null ? null : deliveryOf(last),
  );

const deliveryOf = (row: Row): Delivery => ({
  id: row.id,
  alert: row.alert,
  event: row.event,
  message: row.message,
  state: row.state,
  created_at: Number(row.created_at),
  due_at: numberOrNull(row.due_at),
  tries: row.tries,
  tried_at: numberOrNull(row.tried_at),
  answer: row.answer,
});

/** How many more of its messages may be tried. */
const room = (sql: SQL, { ofOne, underWay }: Share) => sql`
  ${ofOne}::bigint - (select count(*) from unnest(${sql.array([...underWay], "TEXT")}) as busy(name) where name = alert)
`;

async function nextDueAt(sql: SQL, now: number, share: Share): Promise<number | null> {
  const [{ due_at }] = await sql`
    select min(case when coalesce(tried_at, created_at) > ${now + triedForMs} then ${now} else due_at end) as due_at
    from queuectl.deliveries
    where due_at is not null and alert in (select name from queuectl.alerts where not paused) and ${room(sql, share)} > 0
  `;
  return numberOrNull(due_at);
}

async function take(tx: SQL, limit: number, now: number, share: Share): Promise<Taken["taken"]> {
  const isDue = tx`
    due_at is not null and (due_at <= ${now} or coalesce(tried_at, created_at) > ${now + triedForMs})
    and alert in (select name from queuectl.alerts where not paused)
  `;
  const rows: Row[] = await tx`
    with lined as (
      select id, alert, row_number() over (partition by alert order by due_at, id) as nth from queuectl.deliveries where ${isDue}
    ),
    due as (
      -- Asked of the row itself too: somebody may have taken it meanwhile.
      select id from queuectl.deliveries
      where ${isDue} and id in (select id from lined where nth <= ${room(tx, share)})
      order by due_at, id limit ${limit} for update skip locked
    )
    update queuectl.deliveries set due_at = ${now + triedForMs}, tries = tries + 1, tried_at = ${now}
    from due where deliveries.id = due.id returning deliveries.*
  `;
  const names = tx.array(
    rows.map(({ alert }) => alert),
    "TEXT",
  );
  const known: Row[] = await tx`select * from queuectl.alerts where name = any(${names})`;
  return rows.map(deliveryOf).flatMap((delivery) => {
    const alert = known.find(({ name }) => name === delivery.alert);
    const age = Math.max(0, now - delivery.created_at) / 1000;
    return alert ? [{ delivery, alert: newAlertFrom(alert), age }] : [];
  });
}

async function settle(
  tx: SQL,
  { id, alert, tries }: Delivery,
  outcome: TryOutcome,
  now: number,
): Promise<boolean> {
  if (outcome.kind === "broken_off") {
    const rows: Row[] = await tx`
      update queuectl.deliveries set due_at = ${now}, tries = tries - 1
      where id = ${id} and tries = ${tries} and due_at is not null returning id
    `;
    return rows.length > 0;
  }
  const retryInMs = outcome.kind === "failed" ? outcome.retryInMs : null;
  const state = outcome.kind === "sent" ? "sent" : retryInMs === null ? "given_up" : "waiting";
  const due_at = retryInMs === null ? null : now + Math.round(retryInMs);
  const rows: Row[] = await tx`
    update queuectl.deliveries set state = ${state}, due_at = ${due_at}::bigint, answer = ${outcome.answer}
    where id = ${id} and tries = ${tries} and due_at is not null returning id
  `;
  await tx`
    delete from queuectl.deliveries where alert = ${alert} and due_at is null and id not in (
      select id from queuectl.deliveries where alert = ${alert} and due_at is null
      order by created_at desc, id limit ${keptDeliveries}
    )
  `;
  return rows.length > 0;
}
