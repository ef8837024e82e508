// Jobs in PostgreSQL: stored, looked up, and changed by a user's word.

import type { SQL } from "bun";
import { Refusal } from "../../domain/errors.ts";
import { isId } from "../../domain/id.ts";
import { isSettled, type Job, type JobState, type NewJob } from "../../domain/job.ts";
import type { JobFilter, Jobs, Page, RemovedJob } from "../jobs.ts";
import {
  ambiguousId,
  idTaken,
  jobIsGone,
  noSuchJob,
  refuseUnless,
  refuseUnlessHeld,
  refuseUnlessWaiting,
  wrongState,
} from "../refusals.ts";
import { attemptFrom, type JobRow, jobFrom, newJobId } from "../rows.ts";
import { bulkEnqueue } from "./bulk-enqueue.ts";
import type { Connection } from "./connection.ts";
import { countChanges, groupsOf } from "./counts.ts";
import { addParents, forgetRemoved, relatives, tellChildren, waitNoMore } from "./dependencies.ts";
import { rewrite } from "./edit.ts";
import { holdBack, letGo } from "./held.ts";
import { isByText, isWanted, lastPlace, matches, newestOf } from "./matching.ts";
import type { Notifier } from "./notify.ts";
import { giveUpOutput, sweepOutput } from "./output.ts";
import { forgetOld } from "./prune.ts";
import { attemptRow, jobRow, type Row } from "./rows.ts";
import { isInDoubt, takenBy } from "./trouble.ts";
import { sameJob } from "./unique.ts";

export function jobs(connection: Connection, notifier: Notifier): Jobs {
  const { ask, write, at } = connection;

  /** Changes jobs by their numbers, all or none, and tells of it. */
  async function change<T>(work: (tx: SQL) => Promise<T>): Promise<T> {
    const done = await write(work);
    notifier.say("work");
    return done;
  }

  /** After jobs their output. */
  async function sweptAfter<T>(removal: Promise<T>): Promise<T> {
    const done = await removal;
    await sweepOutput(connection);
    return done;
  }

  return {
    async enqueue(job) {
      return (await enqueueOnce(job)).job;
    },

    enqueueOnce,

    async enqueueAll(source) {
      const enqueued = await bulkEnqueue(connection, source);
      notifier.say("work");
      return enqueued;
    },

    find: (idOrPrefix) => ask(async (sql) => jobFrom(await findRow(sql, idOrPrefix))),

    list: (filter, page) => ask((sql) => list(sql, filter, page)),

    following: (seq, limit) =>
      ask(async (sql) => {
        const rows: Row[] =
          await sql`select * from queuectl.jobs where seq > ${seq} order by seq limit ${limit}`;
        return rows.map((row) => jobFrom(jobRow(row)));
      }),

    states: (seqs) =>
      ask(async (sql) => {
        const rows: Row[] = await sql`
          select seq, state from queuectl.jobs where seq = any(${sql.array(seqs as number[], "BIGINT")})
        `;
        return new Map(rows.map(({ seq, state }) => [Number(seq), state as JobState]));
      }),

    relatives: (seq, limit) => ask((sql) => relatives(sql, seq, limit)),

    attempts: (seq) =>
      ask(async (sql) => {
        const rows: Row[] =
          await sql`select * from queuectl.all_attempts where job_seq = ${seq} order by number`;
        return rows.map((row) => attemptFrom(attemptRow(row)));
      }),

    cancel: (seqs) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) if (isSettled(row.state)) throw wrongState(row, "cannot be cancelled");
        return markCancelled(connection, tx, rows);
      }),

    hold: (seqs) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) refuseUnlessWaiting(row, "held");
        return holdBack(connection, tx, rows);
      }),

    release: (seqs) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) refuseUnlessHeld(row);
        return letGo(connection, tx, rows);
      }),

    edit: (seq, edit) =>
      change(async (tx) => {
        const [row] = await lockedRows(tx, [seq]);
        refuseUnlessWaiting(row!, "edited");
        return rewrite(connection, tx, row!, edit);
      }),

    retry: (seqs, only) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) refuseUnless(row, only, "retried");
        return makePending(connection, tx, rows);
      }),

    retryEdited: (seq, edit) =>
      change(async (tx) => {
        const [dead] = await lockedRows(tx, [seq]);
        refuseUnless(dead!, "dead", "retried");
        await makePending(connection, tx, [dead!]);
        const [row] = await lockedRows(tx, [seq]);
        return rewrite(connection, tx, row!, edit);
      }),

    delete: (seqs, only) =>
      sweptAfter(
        change(async (tx) => {
          const rows = await lockedRows(tx, seqs);
          for (const row of rows) refuseUnless(row, only, "deleted");
          return remove(connection, tx, rows);
        }),
      ),

    retryDead: (limit) =>
      change(async (tx) => (await makePending(connection, tx, await oldestDead(tx, limit))).length),

    deleteDead: (limit) =>
      sweptAfter(change(async (tx) => remove(connection, tx, await oldestDead(tx, limit)))),

    prune: (before, limit, states = ["completed", "cancelled"]) =>
      sweptAfter(
        write(async (tx) => {
          const rows: Row[] = [];
          for (const state of states) {
            const finished: Row[] = await tx`
              select * from queuectl.jobs where ${isFinished(tx)} and state = ${state} and finished_at < ${before}
                and not exists (select from queuectl.dependencies where parent = jobs.seq and waits)
              order by finished_at limit ${limit - rows.length} for update skip locked
            `;
            rows.push(...finished);
          }
          const [{ now }] = await tx`select coalesce(${at()}::bigint, queuectl.now_ms()) as now`;
          await forgetOld(tx, Number(now), limit);
          return remove(connection, tx, rows.map(jobRow));
        }),
      ),

    finishedBefore: (before, state) =>
      ask(async (sql) => {
        const [row] = await sql`
          select count(*) as jobs from queuectl.jobs
          where ${isFinished(sql)} and state = ${state} and finished_at < ${before}
        `;
        return Number(row.jobs);
      }),
  };

  /** What the index of finished jobs is for: a plan that is made for any state knows it only so. */
  function isFinished(sql: SQL) {
    return sql`state in ('completed', 'dead', 'cancelled')`;
  }

  /**
   * Inserts one job; draws another id as long as a generated one is taken. When the connection breaks before the answer comes it asks
   * again: by the id it then finds whether the job had been stored.
   */
  async function insert(connection: Connection, job: NewJob): Promise<JobRow> {
    const begunAt = performance.now();
    let doubted = false;
    for (let id = job.id ?? newJobId(); ; ) {
      try {
        const [row] = await connection.tell((sql) => insertOne(connection, sql, id, job));
        return jobRow(row);
      } catch (error) {
        if (isInDoubt(error) && !doubted) {
          doubted = true;
          continue;
        }
        if (takenBy(error) === undefined) throw doubted ? unknownFate(error, id) : connection.plainly(error);
        const own = doubted ? await storedSince(id, begunAt) : undefined;
        if (own) return own;
        if (job.id !== undefined) throw idTaken(job.id);
        id = newJobId();
      }
    }
  }

  async function enqueueOnce(job: NewJob): Promise<{ job: Job; isNew: boolean }> {
    const isPlain = job.after.length === 0 && !job.unique;
    const { row, isNew } = isPlain
      ? { row: await insert(connection, job), isNew: true }
      : await insertAmongOthers(job);
    if (isNew) notifier.say("work");
    return { job: jobFrom(row), isNew };
  }

  /** Inserts a job that has to do with others, in one transaction with the look at them. */
  async function insertAmongOthers(job: NewJob): Promise<{ row: JobRow; isNew: boolean }> {
    for (;;) {
      try {
        return await write(async (tx) => {
          const same = job.unique && (await sameJob(connection, tx, job.unique));
          if (same) return { row: same, isNew: false };
          const [row] = await insertOne(connection, tx, job.id ?? newJobId(), job);
          return { row: await addParents(connection, tx, jobRow(row), job.after), isNew: true };
        });
      } catch (error) {
        if (takenBy(error) === undefined) throw error;
        if (job.id !== undefined) throw idTaken(job.id);
      }
    }
  }

  /** The job of this id, if it is no older than what began then: somebody else's may have stood there before. */
  async function storedSince(id: string, begunAt: number): Promise<JobRow | undefined> {
    const tookMs = Math.ceil(performance.now() - begunAt);
    const [row] = await ask(
      (sql) => sql`
        select * from queuectl.jobs
        where id = ${id} and created_at >= coalesce(${at()}::bigint, queuectl.now_ms()) - ${tookMs}::bigint
      `,
    );
    return row && jobRow(row);
  }

  function unknownFate(error: unknown, id: string): unknown {
    const refusal = connection.plainly(error);
    if (!(refusal instanceof Refusal)) return refusal;
    return new Refusal(
      refusal.kind,
      `${refusal.message}, and job ${id} may have been stored or not`,
      `look with queuectl show ${id} when it answers`,
    );
  }
}

/** One statement, which counts the job too. */
export const insertOne = ({ at }: Connection, sql: SQL, id: string, job: NewJob) => sql`
  with added as (
    insert into queuectl.jobs (
      id, command, state, ready, max_retries, priority, timeout, queue, tags, cwd, env, rules, held, key,
      unique_key, run_at, next_run_at, created_at, updated_at
    )
    select ${id}, ${job.command}, 'pending', run_at <= now and not held, ${job.max_retries}::integer, ${job.priority}::integer,
      ${job.timeout}::double precision, ${job.queue}, ${JSON.stringify(job.tags)}, ${job.cwd}, ${JSON.stringify(job.env)},
      ${JSON.stringify(job.rules)}, held, ${job.key}, ${job.unique?.key ?? null}, run_at, case when not held then run_at end, now, now
    from coalesce(${at()}::bigint, queuectl.now_ms()) as now, coalesce(${job.run_at ?? null}::bigint, now) as run_at,
      coalesce(${job.held}::boolean) as held
    returning *
  ),
  tagged as (
    insert into queuectl.job_tags (tag, seq)
    select tag, seq from added, unnest(${sql.array([...new Set(job.tags)], "TEXT")}) as tag
  ),
  counted as (
    select queuectl.count_jobs(jsonb_build_array(jsonb_build_object(
      'queue', queue, 'state', 'pending', 'jobs', 1, 'ms', 0
    ))) from added
  )
  select added.* from added, counted
`;

async function findRow(sql: SQL, wanted: string): Promise<JobRow> {
  if (!isId(wanted)) throw noSuchJob(wanted);
  const [exact] = await sql`select * from queuectl.jobs where id = ${wanted}`;
  if (exact) return jobRow(exact);
  // "~" sorts behind every character that an id may have.
  const rows: Row[] = await sql`
    select * from queuectl.jobs where id > ${wanted} and id < ${`${wanted}~`} order by id limit 4
  `;
  if (rows.length === 0) throw noSuchJob(wanted);
  if (rows.length === 1) return jobRow(rows[0]);
  throw ambiguousId(
    wanted,
    rows.map(({ id }) => id),
  );
}

/** The jobs in the order asked for, each once, locked in the order of their numbers. */
async function lockedRows(tx: SQL, seqs: readonly number[]): Promise<JobRow[]> {
  const wanted = [...new Set(seqs)];
  const rows: Row[] = await tx`
    select * from queuectl.jobs where seq = any(${tx.array(wanted, "BIGINT")}) order by seq for update
  `;
  const found = new Map(rows.map(jobRow).map((row) => [row.seq, row]));
  return wanted.map((seq) => {
    const row = found.get(seq);
    if (!row) throw jobIsGone();
    return row;
  });
}

/** Waiting jobs are cancelled with this; running ones are marked for their workers. */
export async function markCancelled(connection: Connection, tx: SQL, rows: readonly JobRow[]) {
  const waiting = rows.filter(({ state }) => state !== "processing");
  await waitNoMore(tx, waiting);
  const updated = await tx`
    update queuectl.jobs set
      cancel_requested_at = case when state = 'processing' then coalesce(cancel_requested_at, now) end,
      finished_at = case when state = 'processing' then finished_at else now end,
      next_run_at = null, ready = false, held = false, parked = false, unmet = 0, updated_at = now,
      state = case when state = 'processing' then state else 'cancelled' end
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where seq = any(${tx.array(seqsOf(rows), "BIGINT")}) returning jobs.*
  `;
  await tellChildren(connection, tx, seqsOf(waiting));
  return moved(tx, rows, updated);
}

export async function makePending(connection: Connection, tx: SQL, rows: readonly JobRow[]) {
  await waitNoMore(tx, rows);
  const updated = await tx`
    update queuectl.jobs set
      state = 'pending', ready = true, held = false, parked = false, unmet = 0, attempts = 0, lost_in_row = 0, next_run_at = now,
      updated_at = now, finished_at = null, cancel_requested_at = null
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where seq = any(${tx.array(seqsOf(rows), "BIGINT")}) returning jobs.*
  `;
  return moved(tx, rows, updated);
}

export const seqsOf = (rows: readonly JobRow[]) => rows.map(({ seq }) => seq);

/** Counts what an update changed, and gives the jobs in the order they were asked for. */
export async function moved(tx: SQL, before: readonly JobRow[], updated: Row[]) {
  const counts = countChanges();
  const after = new Map(updated.map(jobRow).map((row) => [row.seq, row]));
  const changed = before.map((row) => {
    const next = after.get(row.seq)!;
    counts.move(row, next);
    return jobFrom(next);
  });
  await counts.save(tx);
  return changed;
}

export async function remove(
  connection: Connection,
  tx: SQL,
  rows: readonly JobRow[],
): Promise<RemovedJob[]> {
  if (rows.length === 0) return [];
  const counts = countChanges();
  for (const row of rows) counts.add(row, -1);
  const seqs = tx.array(seqsOf(rows), "BIGINT");
  const tagged = rows.filter(({ tags }) => tags !== "[]");
  if (tagged.length > 0) {
    const tags = [...new Set(tagged.flatMap((row) => jobFrom(row).tags))];
    await tx`
      delete from queuectl.job_tags
      where tag = any(${tx.array(tags, "TEXT")}) and seq = any(${tx.array(seqsOf(tagged), "BIGINT")})
    `;
  }
  await tx`delete from queuectl.attempts where job_seq = any(${seqs})`;
  await giveUpOutput(tx, seqsOf(rows));
  await tx`delete from queuectl.schedule_runs where job_seq = any(${seqs})`;
  await forgetRemoved(connection, tx, seqsOf(rows));
  await tx`delete from queuectl.jobs where seq = any(${seqs})`;
  await counts.save(tx);
  return rows.map(({ seq, attempt_number }) => ({ seq, attempts: attempt_number }));
}

/** The dead jobs that were enqueued first. */
async function oldestDead(tx: SQL, limit: number): Promise<JobRow[]> {
  const rows: Row[] = await tx`
    select * from queuectl.jobs where seq in (
      select dead.seq from jsonb_to_recordset(${await groupsOf(tx, { state: "dead" })}::jsonb) as wanted(queue text, state text)
      cross join lateral (
        select jobs.seq from queuectl.jobs where ${isWanted(tx)} order by jobs.queue, jobs.state, jobs.seq limit ${limit}
      ) as dead
      order by dead.seq limit ${limit}
    ) and state = 'dead' order by seq for update
  `;
  return rows.map(jobRow);
}

async function list(sql: SQL, filter: JobFilter, { limit, before }: Page) {
  const most = limit === 0 ? null : limit;
  if (!isByText(filter)) {
    const rows = await newestOf(sql, filter, { before, limit: most });
    const groups = await groupsOf(sql, { state: filter.state ?? null, queue: filter.queue ?? null });
    return { jobs: rows.map(jobFrom), total: groups.reduce((sum, group) => sum + group.jobs, 0) };
  }
  const ofTag =
    filter.tag === undefined
      ? sql`true`
      : sql`seq in (select job_tags.seq from queuectl.job_tags where tag = ${filter.tag})`;
  const [rows, [{ total }]] = await Promise.all([
    sql`
      select * from queuectl.jobs where seq < ${before ?? lastPlace} and ${ofTag} and ${matches(sql, filter)}
      order by seq desc limit ${most}::bigint
    `,
    sql`select count(*) as total from queuectl.jobs where ${ofTag} and ${matches(sql, filter)}`,
  ]);
  return { jobs: rows.map((row: Row) => jobFrom(jobRow(row))), total: Number(total) };
}
