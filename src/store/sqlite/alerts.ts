// Alerts in SQLite, and their messages.

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
import { type JobRow, legibleJob } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { gather, put } from "./outbox.ts";

const withFigures = `
  select alerts.*,
    (select coalesce(sum(count), 0) from outbox where alert = alerts.name) as untold,
    (select count(*) from deliveries where alert = alerts.name and due_at is not null) as waiting,
    (select count(*) from deliveries where alert = alerts.name and state = 'given_up') as given_up
  from alerts
`;

export function alerts(connection: Connection): Alerts {
  const { sql, read, write, clock } = connection;

  const complete = (row: AlertRow): Alert =>
    alertFrom(
      row,
      sql(`
        select * from deliveries where alert = $name and tried_at is not null order by tried_at desc, id limit 1
      `).get({ name: row.name }),
    );

  function find(name: string): Alert {
    const row: AlertRow | null = sql(`${withFigures} where name = $name`).get({ name });
    if (!row) throw noSuchAlert(name);
    return complete(row);
  }

  const marksOf = (name: string): Promise<ReadonlySet<string>> =>
    read(() => {
      const rows: { mark: string }[] = sql("select mark from alert_marks where alert = $name").all({ name });
      return new Set(rows.map(({ mark }) => mark));
    });

  const setPaused = (name: string, paused: 0 | 1) =>
    write(() => {
      sql(
        "update alerts set paused = $paused, updated_at = $now where name = $name and paused <> $paused",
      ).run({ name, paused, now: clock() });
      return find(name);
    });

  return {
    add: (alert) =>
      write(() => {
        const { changes } = sql(`
          insert into alerts (
            name, events, queue, tag, longer_than, more_than, older_than, gather, channel, target, secret, cwd,
            created_at, updated_at
          ) values (
            $name, $events, $queue, $tag, $longer_than, $more_than, $older_than, $gather, $channel, $target, $secret, $cwd,
            $now, $now
          ) on conflict (name) do nothing
        `).run({ ...alert, events: JSON.stringify(alert.events), now: clock() });
        if (changes === 0) throw alertTaken(alert.name);
        return find(alert.name);
      }),

    list: () => read(() => sql(`${withFigures} order by name`).all().map(complete)),

    find: (name) => read(() => find(name)),

    pause: (name) => setPaused(name, 1),

    resume: (name) => setPaused(name, 0),

    remove: (name) =>
      write(() => {
        find(name);
        sql("delete from alerts where name = $name").run({ name });
        for (const table of ["outbox", "deliveries", "alert_marks"])
          sql(`delete from ${table} where alert = $name`).run({ name });
      }),

    deliveries: (name, limit) =>
      read(() =>
        sql("select * from deliveries where alert = $name order by created_at desc, id limit $limit").all({
          name,
          limit,
        }),
      ),

    runningSince: (moment) =>
      read(() =>
        sql(`
          select * from jobs where worker_id is not null and state = 'processing' and started_at <= $moment order by seq
        `)
          .all({ moment })
          .map((row: JobRow) => ({ job: legibleJob(row), attempt: row.attempt_number })),
      ),

    readyJobs: (queue, limit) =>
      read(
        () =>
          sql(`
            select count(*) as n from (
              select 1 from (select 1 from jobs where queue = $queue and ready = 1 limit $limit)
              union all
              select 1 from (
                select 1 from jobs
                where queue = $queue and ready = 0 and next_run_at is not null and next_run_at <= $now limit $limit
              )
              limit $limit
            )
          `).get({ queue, limit, now: clock() }).n,
      ),

    marks: marksOf,

    async stand(name, standing) {
      const marks = JSON.stringify(standing.map(({ mark }) => mark));
      const before = await marksOf(name);
      // As a rule nothing has changed, and then this must not ask for the lock.
      if (before.size === standing.length && standing.every(({ mark }) => before.has(mark))) return;
      await write(() => {
        if (!sql("select 1 from alerts where name = $name and paused = 0").get({ name })) return;
        sql(`
          delete from alert_marks where alert = $name and mark not in (select value from json_each($marks))
        `).run({ name, marks });
        for (const { mark, event, about } of standing) {
          const { changes } = sql(`
            insert into alert_marks (alert, mark) values ($name, $mark) on conflict do nothing
          `).run({ name, mark });
          if (changes > 0) put(connection, { alert: name, event, about: asRow(about), now: clock() });
        }
      });
    },

    async gather() {
      if (!(await read(() => sql("select 1 from outbox limit 1").get()))) return null;
      return write(() => gather(connection, clock()));
    },

    async take(limit, share = wholeShare) {
      const first = await read(() => nextDueAt(connection, share));
      if (first === null || first > clock()) return { taken: [], next_at: first };
      return write(() => {
        const taken = take(connection, limit, share);
        return { taken, next_at: nextDueAt(connection, shareWith(share, taken)) };
      });
    },

    settle: (delivery, outcome) => write(() => settle(connection, delivery, outcome)),
  };
}

/** When a message is tried next. */
const due = `case when coalesce(tried_at, created_at) > $now + ${triedForMs} then $now else due_at end`;
const isWaiting = "due_at is not null and alert in (select name from alerts where paused = 0)";

/** How many more of its messages may be tried. */
const room = "$ofOne - (select count(*) from json_each($underWay) where value = alert)";

const nextDueAt = ({ sql, clock }: Connection, { ofOne, underWay }: Share): number | null =>
  sql(`select min(${due}) as due_at from deliveries where ${isWaiting} and ${room} > 0`).get({
    now: clock(),
    ofOne,
    underWay: JSON.stringify(underWay),
  }).due_at;

function take({ sql, clock }: Connection, limit: number, { ofOne, underWay }: Share): Taken["taken"] {
  const now = clock();
  const rows: Delivery[] = sql(`
    update deliveries set due_at = $now + ${triedForMs}, tries = tries + 1, tried_at = $now
    where id in (
      select id from (
        select id, alert, due_at, row_number() over (partition by alert order by due_at, id) as nth from deliveries
        where ${isWaiting} and ${due} <= $now
      )
      where nth <= ${room} order by due_at, id limit $limit
    )
    returning *
  `).all({ now, limit, ofOne, underWay: JSON.stringify(underWay) });
  return rows.map((delivery) => ({
    delivery,
    alert: newAlertFrom(sql("select * from alerts where name = $alert").get({ alert: delivery.alert })),
    age: Math.max(0, now - delivery.created_at) / 1000,
  }));
}

function settle({ sql, clock }: Connection, { id, alert, tries }: Delivery, outcome: TryOutcome): boolean {
  const own = "id = $id and tries = $tries and due_at is not null";
  if (outcome.kind === "broken_off") {
    const released = sql(`update deliveries set due_at = $now, tries = tries - 1 where ${own}`);
    return released.run({ id, tries, now: clock() }).changes > 0;
  }
  const retryInMs = outcome.kind === "failed" ? outcome.retryInMs : null;
  const state = outcome.kind === "sent" ? "sent" : retryInMs === null ? "given_up" : "waiting";
  const due_at = retryInMs === null ? null : clock() + Math.round(retryInMs);
  const { changes } = sql(
    `update deliveries set state = $state, due_at = $due_at, answer = $answer where ${own}`,
  ).run({ id, tries, state, due_at, answer: outcome.answer });
  sql(`
    delete from deliveries where alert = $alert and due_at is null and id not in (
      select id from deliveries where alert = $alert and due_at is null order by created_at desc, id
      limit ${keptDeliveries}
    )
  `).run({ alert });
  return changes > 0;
}
