// Jobs are stored in PostgreSQL: one is, also when its answer is late or its id is taken.

import type { SQL } from "bun";
import { Refusal } from "../../domain/errors.ts";
import type { Job, NewJob } from "../../domain/job.ts";
import type { Enqueueing } from "../jobs.ts";
import { idTaken } from "../refusals.ts";
import { type JobRow, jobFrom, newJobId } from "../rows.ts";
import { bulkEnqueue } from "./bulk-enqueue.ts";
import type { Connection } from "./connection.ts";
import { addParents } from "./dependencies.ts";
import type { Notifier } from "./notify.ts";
import { jobRow } from "./rows.ts";
import { isIdTaken, isInDoubt } from "./trouble.ts";
import { refuseAnother, sameJob } from "./unique.ts";

export function enqueueing(connection: Connection, notifier: Notifier): Enqueueing {
  const { ask, at } = connection;

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
  };

  async function enqueueOnce(job: NewJob, idBegins?: string): Promise<{ job: Job; isNew: boolean }> {
    const isPlain = job.after.length === 0 && !job.unique && idBegins === undefined;
    const { row, isNew } = isPlain
      ? { row: await insert(job), isNew: true }
      : await storing(connection, job, async (_, stored) => stored, idBegins);
    if (isNew) notifier.say("work");
    return { job: jobFrom(row), isNew };
  }

  /**
   * Inserts one job; draws another id as long as a generated one is taken. When the connection breaks before the answer comes it asks
   * again: by the id it then finds whether the job had been stored.
   */
  async function insert(job: NewJob): Promise<JobRow> {
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
        if (!isIdTaken(error)) throw doubted ? unknownFate(connection, error, id) : connection.plainly(error);
        const own = doubted ? await storedSince(id, job, begunAt) : undefined;
        if (own) return own;
        if (job.id !== undefined) throw idTaken(job.id);
        id = newJobId();
      }
    }
  }

  /** The job of this id, if it is the same and no older than what began then: somebody else's may have stood there before. */
  async function storedSince(id: string, { command }: NewJob, begunAt: number): Promise<JobRow | undefined> {
    const [found] = await ask(
      (sql) => sql`
        select jobs.*, coalesce(${at()}::bigint, queuectl.now_ms()) - created_at as age from queuectl.jobs
        where id = ${id} and command = ${command}
      `,
    );
    if (!found) return undefined;
    const { age, ...row } = found;
    // Counted to here: the question may have waited for as long as what it is about.
    return Number(age) <= Math.ceil(performance.now() - begunAt) ? jobRow(row) : undefined;
  }
}

function unknownFate({ plainly }: Connection, error: unknown, id: string): unknown {
  const refusal = plainly(error);
  if (!(refusal instanceof Refusal)) return refusal;
  return new Refusal(
    refusal.kind,
    `${refusal.message}, and job ${id} may have been stored or not`,
    `look with queuectl show ${id} when it answers`,
  );
}

interface Stored {
  readonly row: JobRow;
  readonly isNew: boolean;
}

/** Stores a job that has to do with others, in one transaction with the look at them and with what `work` does then. */
export async function storing<T>(
  connection: Connection,
  job: NewJob,
  work: (tx: SQL, stored: Stored) => Promise<T>,
  idBegins?: string,
): Promise<T> {
  for (;;) {
    const id = job.id ?? newJobId();
    try {
      return await connection.write(async (tx) => {
        if (idBegins !== undefined) await refuseAnother(tx, idBegins);
        return work(tx, await storeAmongOthers(connection, tx, id, job));
      });
    } catch (error) {
      if (isInDoubt(error)) throw unknownFate(connection, error, id);
      if (!isIdTaken(error)) throw error;
      if (job.id !== undefined) throw idTaken(job.id);
    }
  }
}

async function storeAmongOthers(connection: Connection, tx: SQL, id: string, job: NewJob): Promise<Stored> {
  const same = job.unique && (await sameJob(connection, tx, job.unique));
  if (same) return { row: same, isNew: false };
  const [row] = await insertOne(connection, tx, id, job);
  return { row: await addParents(connection, tx, jobRow(row), job.after), isNew: true };
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
