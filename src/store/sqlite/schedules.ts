// Schedules in SQLite, and which jobs they made.

import { isSettled } from "../../domain/job.ts";
import type { Schedule } from "../../domain/schedule.ts";
import { type JobRow, jobFrom } from "../rows.ts";
import {
  type DueSchedule,
  type Fired,
  type Firing,
  noSuchSchedule,
  type ScheduleRow,
  type Schedules,
  scheduleFrom,
  scheduleTaken,
} from "../schedules.ts";
import { markCancelled } from "./change-steps.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { isEnded, tellChildren } from "./dependencies.ts";
import { insert } from "./enqueue.ts";
import { saveCount } from "./one-count.ts";

/** Schedules to be fired between two looks. */
const dueAtOnce = 100;

const withLastJob = `
  select schedules.*, jobs.id as last_job_id, jobs.state as last_job_state
  from schedules left join jobs on jobs.seq = schedules.last_job_seq
`;

export function schedules(connection: Connection): Schedules {
  const { sql, read, write, clock } = connection;

  function find(name: string): Schedule {
    const row: ScheduleRow | null = sql(`${withLastJob} where name = $name`).get({ name });
    if (!row) throw noSuchSchedule(name);
    return scheduleFrom(row);
  }

  return {
    add: (added, { replace } = { replace: false }) =>
      write(() => {
        const now = clock();
        for (const { job, ...schedule } of added) {
          const { changes } = sql(`
            insert into schedules (name, cron, tz, missed, overlap, jitter, job, next_at, created_at, updated_at)
            values ($name, $cron, $tz, $missed, $overlap, $jitter, $job, $next_at, $now, $now)
            on conflict (name) do update set
              cron = excluded.cron, tz = excluded.tz, missed = excluded.missed, overlap = excluded.overlap,
              jitter = excluded.jitter, job = excluded.job, next_at = iif(paused, null, excluded.next_at), updated_at = $now
            where $replace
          `).run({ ...schedule, job: JSON.stringify(job), now, replace: Number(replace) });
          if (changes === 0) throw scheduleTaken(schedule.name);
        }
        return added.map(({ name }) => find(name));
      }),

    list: () => read(() => sql(`${withLastJob} order by name`).all().map(scheduleFrom)),

    find: (name) => read(() => find(name)),

    due: () =>
      read(() => {
        const now = clock();
        const rows = sql(`${withLastJob} where next_at <= $now order by next_at limit ${dueAtOnce}`).all({
          now,
        });
        const { next_at } = sql("select min(next_at) as next_at from schedules where next_at > $now").get({
          now,
        });
        return { now, next_at, due: rows.map(scheduleFrom) as DueSchedule[] };
      }),

    fire: (firing) => write(() => fire(connection, firing)),

    run: (name, job) =>
      write(() => {
        find(name);
        return jobFrom(makeJob(connection, name, { at: null, job }));
      }),

    pause: (name) =>
      write(() => {
        sql(
          "update schedules set paused = 1, next_at = null, updated_at = $now where name = $name and not paused",
        ).run({
          name,
          now: clock(),
        });
        return find(name);
      }),

    resume: (name, next_at) =>
      write(() => {
        sql(
          "update schedules set paused = 0, next_at = $next_at, updated_at = $now where name = $name and paused",
        ).run({
          name,
          next_at,
          now: clock(),
        });
        return find(name);
      }),

    remove: (name) =>
      write(() => {
        find(name);
        sql("delete from schedules where name = $name").run({ name });
      }),

    runs: (name, limit) =>
      read(() =>
        sql(`
          select jobs.*, schedule_runs.at from schedule_runs join jobs on jobs.seq = schedule_runs.job_seq
          where schedule = $name order by job_seq desc limit $limit
        `)
          .all({ name, limit })
          .map((row) => ({ at: row.at, job: jobFrom(row) })),
      ),

    originOf: (job_seq) =>
      read(() => sql("select schedule, at from schedule_runs where job_seq = $job_seq").get({ job_seq })),
  };
}

function fire(connection: Connection, firing: Firing): Fired | null {
  const { sql, clock } = connection;
  const { name, next_at, created_at, updated_at } = firing.schedule;
  const now = clock();
  const { changes } = sql(`
    update schedules set next_at = $next, missed_at = coalesce($missed_at, missed_at), updated_at = $now
    where name = $name and next_at = $next_at and created_at = $created_at and updated_at = $updated_at
  `).run({ name, next_at, created_at, updated_at, next: firing.next_at, missed_at: firing.missed_at, now });
  if (changes === 0) return null;
  const unsettled =
    firing.jobs.length > 0 && firing.overlap !== "queue" ? unsettledJob(connection, name) : null;
  if (unsettled && firing.overlap === "skip") {
    const { at } = firing.jobs.at(-1)!;
    sql("update schedules set skipped_at = $at where name = $name").run({ name, at });
    return { jobs: [], replaced: null, skipped: true };
  }
  const isNew = ({ at }: { at: number }) =>
    sql("select 1 from schedule_runs where schedule = $name and at = $at").get({ name, at }) === null;
  const timed = firing.jobs.filter(isNew);
  const replaced = unsettled && timed.length > 0 ? cancel(connection, unsettled) : null;
  const jobs = timed.map((one) => jobFrom(makeJob(connection, name, one)));
  return { jobs, replaced, skipped: false };
}

function unsettledJob({ sql }: Connection, name: string): JobRow | null {
  const row: JobRow | null = sql(`
    select jobs.* from schedules join jobs on jobs.seq = schedules.last_job_seq where name = $name
  `).get({ name });
  return row && !isSettled(row.state) ? row : null;
}

function cancel(connection: Connection, row: JobRow) {
  const counts = countChanges(connection);
  const now = connection.clock();
  const cancelled = markCancelled(connection, row, now);
  counts.move(row, cancelled);
  tellChildren(connection, [cancelled].filter(isEnded), { counts, now });
  counts.save();
  return jobFrom(cancelled);
}

function makeJob(
  connection: Connection,
  schedule: string,
  { at, job }: { readonly at: number | null; readonly job: Parameters<typeof insert>[1] },
): JobRow {
  const { sql, clock } = connection;
  const row = insert(connection, job, clock());
  saveCount(connection, { queue: row.queue, state: "pending", jobs: 1, ms: 0 });
  sql("insert into schedule_runs (job_seq, schedule, at) values ($seq, $schedule, $at)").run({
    seq: row.seq,
    schedule,
    at,
  });
  sql(
    "update schedules set last_job_seq = $seq, last_at = coalesce($at, last_at) where name = $schedule",
  ).run({
    seq: row.seq,
    at,
    schedule,
  });
  return row;
}
