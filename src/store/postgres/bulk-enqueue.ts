// Many jobs at once, all or none. They are gathered in a table that nobody else looks at first, so that a slow source (a pipe)
// keeps no transaction open; one transaction then moves them among the others.

import { randomUUIDv7, type SQL } from "bun";
import { Refusal } from "../../domain/errors.ts";
import type { NewJob } from "../../domain/job.ts";
import type { Enqueued } from "../jobs.ts";
import { type KnownJobs, withKnown } from "../known-jobs.ts";
import { idTaken, idTwice } from "../refusals.ts";
import { newJobId } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { addStagedParents } from "./dependencies.ts";
import type { Row } from "./rows.ts";
import { takenBy } from "./trouble.ts";
import { setKnownAside } from "./unique.ts";

/** Rows in one statement. */
const gatheredAtOnce = 500;

/** What an enqueue that was cut off has left is removed so long after it began. */
export const abandonedMs = 24 * 3_600_000;

export async function bulkEnqueue(connection: Connection, source: AsyncIterable<NewJob>): Promise<Enqueued> {
  const batch = randomUUIDv7();
  try {
    const count = await stage(connection, source, batch);
    const known = await move(connection, batch, count);
    return { count, known: known.size, ids: () => withKnown(idsOf(connection, batch), known) };
  } catch (error) {
    await forget(connection, batch).catch(() => {});
    throw error;
  }
}

const forget = ({ ask }: Connection, batch: string) =>
  ask((sql) => sql`delete from queuectl.staged where batch = ${batch}`);

async function stage(connection: Connection, source: AsyncIterable<NewJob>, batch: string): Promise<number> {
  let place = 0;
  let gathered: object[] = [];
  const save = async () => {
    const rows = gathered;
    gathered = [];
    if (rows.length === 0) return;
    await connection.ask(
      (sql) => sql`
        insert into queuectl.staged
        select ${batch}::uuid, place, id, given, command, max_retries, priority,
          timeout, queue, tags, cwd, env, rules, held, key, after, unique_key, unique_ms, run_at
        from jsonb_to_recordset(${rows}::jsonb) as job(
          place integer, id text, given boolean, command text, max_retries integer, priority integer,
          timeout double precision, queue text, tags text, cwd text, env text, rules text,
          held boolean, key text, after text, unique_key text, unique_ms bigint, run_at bigint
        )
        order by place
        on conflict do nothing
      `,
    );
  };
  for await (const job of source) {
    gathered.push({
      ...job,
      place: ++place,
      id: job.id ?? newJobId(),
      given: job.id !== undefined,
      tags: JSON.stringify(job.tags),
      env: JSON.stringify(job.env),
      rules: JSON.stringify(job.rules),
      after: JSON.stringify(job.after),
      unique_key: job.unique?.key ?? null,
      unique_ms: Math.round((job.unique?.seconds ?? 0) * 1000),
    });
    if (gathered.length >= gatheredAtOnce) await save();
  }
  await save();
  return place;
}

async function move(connection: Connection, batch: string, count: number): Promise<KnownJobs> {
  for (;;) {
    try {
      return await connection.write((tx) => moveIn(connection, tx, batch, count), "late");
    } catch (error) {
      if (takenBy(error) === undefined) throw error;
      await connection.write((tx) => redrawTakenIds(tx, batch), "late");
    }
  }
}

async function moveIn(connection: Connection, tx: SQL, batch: string, count: number): Promise<KnownJobs> {
  const counts = countChanges();
  await tx`set local statement_timeout = 0`;
  const known = await setKnownAside(connection, tx, batch);
  await tx`
    insert into queuectl.jobs (
      id, command, max_retries, priority, timeout, queue, tags, cwd, env, rules, held, key, unique_key, state, ready, run_at, next_run_at,
      created_at, updated_at
    )
    select
      id, command, max_retries, priority, timeout, queue, tags, cwd, env, rules, held, key, unique_key,
      'pending', coalesce(run_at, now) <= now and not held, coalesce(run_at, now),
      case when not held then coalesce(run_at, now) end, now, now
    from queuectl.staged, coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now
    where batch = ${batch} order by place
  `;
  // What waits for others stands in no line for a key.
  await addStagedParents(connection, tx, batch);
  // Of the jobs of one key and queue all but the first wait for it; claims need not meet them one by one.
  await tx`
    update queuectl.jobs set parked = true, ready = false, next_run_at = null
    from (
      select jobs.seq, row_number() over (partition by jobs.key, jobs.queue order by jobs.priority desc, jobs.seq) as place
      from queuectl.staged join queuectl.jobs using (id) where batch = ${batch} and staged.key is not null and ready
    ) as line
    where jobs.seq = line.seq and line.place > 1
  `;
  await tx`
    insert into queuectl.job_tags (tag, seq)
    select distinct tag, jobs.seq
    from queuectl.staged join queuectl.jobs using (id), json_array_elements_text(staged.tags::json) as tag
    where batch = ${batch} and staged.tags <> '[]'
  `;
  const queues: Row[] = await tx`
    select queue, count(*)::integer as jobs from queuectl.staged where batch = ${batch} group by queue
  `;
  // A crash of the server empties the table, and what took too long to gather is taken for abandoned.
  if (queues.reduce((sum, { jobs }) => sum + jobs, 0) !== count - known.size) throw lostOnTheWay(connection);
  for (const { queue, jobs } of queues) counts.addMany(queue, "pending", jobs);
  await counts.save(tx);
  return known;
}

const lostOnTheWay = ({ shown }: Connection) =>
  new Refusal(
    "unavailable",
    `${shown} has lost some of the jobs on their way in, as a restart of the server does; none is stored`,
    "enqueue them again",
  );

/** Refuses an id that a user gave twice or that is taken; gives other ids where generated ones are. */
async function redrawTakenIds(tx: SQL, batch: string): Promise<void> {
  const taken: Row[] = await tx`
    select place, id, given, false as twice from queuectl.staged where batch = ${batch} and id in (select id from queuectl.jobs)
    union all
    select place, id, given, true from queuectl.staged where batch = ${batch} and id in (
      select id from queuectl.staged where batch = ${batch} group by id having count(*) > 1
    )
    order by given desc, place
  `;
  for (const { place, id, given, twice } of taken) {
    if (given) throw twice ? idTwice(id) : idTaken(id);
    await tx`update queuectl.staged set id = ${newJobId()} where batch = ${batch} and place = ${place}`;
  }
}

/** What was gathered goes with the last of the ids. */
async function* idsOf(connection: Connection, batch: string): AsyncIterable<string> {
  const pageSize = 1000;
  for (let last = 0; ; ) {
    const rows: Row[] = await connection.ask(
      (sql) => sql`
        select place, id from queuectl.staged where batch = ${batch} and place > ${last} order by place limit ${pageSize}
      `,
    );
    for (const { id } of rows) yield id;
    if (rows.length < pageSize) break;
    last = rows.at(-1).place;
  }
  await forget(connection, batch);
}
