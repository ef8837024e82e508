// Schedules in PostgreSQL, and which jobs they made.

import type { SQL } from "bun";
import { isSettled, type NewJob } from "../../domain/job.ts";
import type { Schedule } from "../../domain/schedule.ts";
import { type JobRow, jobFrom, newJobId } from "../rows.ts";
import {
  type DueSchedule,
  type Fired,
  type Firing,
  noSuchSchedule,
  type ScheduleRow,
  type Schedules,
  scheduleFrom,
  scheduleTaken,
  type TimedJob,
} from "../schedules.ts";
import { markCancelled } from "./change-steps.ts";
import type { Connection } from "./connection.ts";
import { insertOne } from "./enqueue.ts";
import type { Notifier } from "./notify.ts";
import { jobRow, numberOrNull, type Row } from "./rows.ts";

/** Schedules to be fired between two looks. */
const dueAtOnce = 100;

export function schedules(connection: Connection, notifier: Notifier): Schedules {
  const { ask, write, at } = connection;

  /** Changes something, and tells of it. */
  async function change<T>(work: (tx: SQL) => Promise<T>): Promise<T> {
    const done = await write(work);
    notifier.say("work");
    return done;
  }

  return {
    add: (added, { replace } = { replace: false }) =>
      change(async (tx) => {
        for (const { job, ...schedule } of added) {
          const rows: Row[] = await tx`
            insert into queuectl.schedules as kept (
              name, cron, tz, missed, overlap, jitter, job, next_at, created_at, updated_at
            )
            select ${schedule.name}, ${schedule.cron}, ${schedule.tz}, ${schedule.missed}, ${schedule.overlap},
              ${schedule.jitter}::double precision, ${JSON.stringify(job)}, ${schedule.next_at}::bigint, now, now
            from coalesce(${at()}::bigint, queuectl.now_ms()) as now
            on conflict (name) do update set
              cron = excluded.cron, tz = excluded.tz, missed = excluded.missed, overlap = excluded.overlap,
              jitter = excluded.jitter, job = excluded.job,
              next_at = case when not kept.paused then excluded.next_at end, updated_at = excluded.updated_at
            where ${replace} returning name
          `;
          if (rows.length === 0) throw scheduleTaken(schedule.name);
        }
        return Promise.all(added.map(({ name }) => find(tx, name)));
      }),

    list: () =>
      ask(async (sql) => {
        const rows: Row[] = await sql`${withLastJob(sql)} order by schedules.name`;
        return rows.map(scheduleOf);
      }),

    find: (name) => ask((sql) => find(sql, name)),

    due: () =>
      ask(async (sql) => {
        const [moment] = await sql`select coalesce(${at()}::bigint, queuectl.now_ms()) as now`;
        const now = Number(moment.now);
        const rows: Row[] = await sql`
          ${withLastJob(sql)} where schedules.next_at <= ${now} order by schedules.next_at limit ${dueAtOnce}
        `;
        const [next] =
          await sql`select min(next_at) as next_at from queuectl.schedules where next_at > ${now}`;
        return { now, next_at: numberOrNull(next.next_at), due: rows.map(scheduleOf) as DueSchedule[] };
      }),

    async fire(firing) {
      const fired = await write((tx) => fire(connection, tx, firing));
      if (fired) notifier.say("work");
      return fired;
    },

    run: (name, job) =>
      change(async (tx) => {
        await find(tx, name);
        return jobFrom(await makeJob(connection, tx, name, { at: null, job }));
      }),

    pause: (name) =>
      change(async (tx) => {
        await tx`
          update queuectl.schedules set paused = true, next_at = null, updated_at = now
          from coalesce(${at()}::bigint, queuectl.now_ms()) as now where name = ${name} and not paused
        `;
        return find(tx, name);
      }),

    resume: (name, next_at) =>
      change(async (tx) => {
        await tx`
          update queuectl.schedules set paused = false, next_at = ${next_at}::bigint, updated_at = now
          from coalesce(${at()}::bigint, queuectl.now_ms()) as now where name = ${name} and paused
        `;
        return find(tx, name);
      }),

    remove: (name) =>
      change(async (tx) => {
        const removed: Row[] = await tx`delete from queuectl.schedules where name = ${name} returning name`;
        if (removed.length === 0) throw noSuchSchedule(name);
      }),

    runs: (name, limit) =>
      ask(async (sql) => {
        const rows: Row[] = await sql`
          select jobs.*, schedule_runs.at from queuectl.schedule_runs join queuectl.jobs on jobs.seq = job_seq
          where schedule = ${name} order by job_seq desc limit ${limit}
        `;
        return rows.map(({ at, ...row }) => ({ at: numberOrNull(at), job: jobFrom(jobRow(row)) }));
      }),

    originOf: (job_seq) =>
      ask(async (sql) => {
        const [row] = await sql`select schedule, at from queuectl.schedule_runs where job_seq = ${job_seq}`;
        return row ? { schedule: row.schedule, at: numberOrNull(row.at) } : null;
      }),
  };
}

const withLastJob = (sql: SQL) => sql`
  select schedules.*, jobs.id as last_job_id, jobs.state as last_job_state
  from queuectl.schedules left join queuectl.jobs on jobs.seq = schedules.last_job_seq
`;

async function find(sql: SQL, name: string): Promise<Schedule> {
  const [row] = await sql`${withLastJob(sql)} where schedules.name = ${name}`;
  if (!row) throw noSuchSchedule(name);
  return scheduleOf(row);
}

const scheduleOf = (row: Row): Schedule => {
  const moments = [
    "next_at",
    "last_at",
    "missed_at",
    "skipped_at",
    "created_at",
    "updated_at",
    "last_job_seq",
  ];
  const numbers = Object.fromEntries(moments.map((key) => [key, numberOrNull(row[key])]));
  return scheduleFrom({ ...row, ...numbers } as ScheduleRow);
};

async function fire(connection: Connection, tx: SQL, firing: Firing): Promise<Fired | null> {
  const { name, next_at, created_at, updated_at } = firing.schedule;
  // Locks the row: whoever fires the same waits here, and then finds another time.
  const moved: Row[] = await tx`
    update queuectl.schedules set
      next_at = ${firing.next_at}::bigint, missed_at = coalesce(${firing.missed_at}::bigint, missed_at), updated_at = now
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where name = ${name} and next_at = ${next_at} and created_at = ${created_at} and updated_at = ${updated_at}
    returning name
  `;
  if (moved.length === 0) return null;
  const unsettled =
    firing.jobs.length > 0 && firing.overlap !== "queue" ? await unsettledJob(tx, name) : null;
  if (unsettled && firing.overlap === "skip") {
    await tx`update queuectl.schedules set skipped_at = ${firing.jobs.at(-1)!.at} where name = ${name}`;
    return { jobs: [], replaced: null, skipped: true };
  }
  const timed = await newOnes(tx, name, firing.jobs);
  const [replaced = null] =
    unsettled && timed.length > 0 ? await markCancelled(connection, tx, [unsettled]) : [];
  const jobs = [];
  for (const one of timed) jobs.push(jobFrom(await makeJob(connection, tx, name, one)));
  return { jobs, replaced, skipped: false };
}

async function unsettledJob(tx: SQL, name: string): Promise<JobRow | null> {
  const [row] = await tx`
    select jobs.* from queuectl.schedules join queuectl.jobs on jobs.seq = last_job_seq
    where name = ${name} for update of jobs
  `;
  return row && !isSettled(row.state) ? jobRow(row) : null;
}

/** Those whose time has not become a job before. */
async function newOnes(tx: SQL, name: string, jobs: readonly TimedJob[]): Promise<TimedJob[]> {
  const times = jobs.map(({ at }) => at);
  const rows: Row[] = await tx`
    select at from queuectl.schedule_runs where schedule = ${name} and at = any(${tx.array(times, "BIGINT")})
  `;
  const known = new Set(rows.map(({ at }) => Number(at)));
  return jobs.filter(({ at }) => !known.has(at));
}

async function makeJob(
  connection: Connection,
  tx: SQL,
  schedule: string,
  { at, job }: { readonly at: number | null; readonly job: NewJob },
): Promise<JobRow> {
  const [added] = await insertOne(connection, tx, job.id ?? newJobId(), job);
  const row = jobRow(added);
  await tx`insert into queuectl.schedule_runs (job_seq, schedule, at) values (${row.seq}, ${schedule}, ${at}::bigint)`;
  await tx`
    update queuectl.schedules set last_job_seq = ${row.seq}, last_at = coalesce(${at}::bigint, last_at)
    where name = ${schedule}
  `;
  return row;
}
