// Many jobs at once, all or none. They are gathered in a temporary table first, so that a slow source (a pipe) holds no
// lock and a long one no memory; one transaction then moves them among the others.

import { SQLiteError } from "bun:sqlite";
import type { NewJob } from "../../domain/job.ts";
import type { Enqueued } from "../jobs.ts";
import { withKnown } from "../known-jobs.ts";
import { idTaken, idTwice } from "../refusals.ts";
import { newJobId } from "../rows.ts";
import { setKnownAside } from "./bulk-unique.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { addStagedParents } from "./dependencies.ts";

/** One temporary table serves all that are gathered at the same time, as a server's requests may be. */
let batches = 0;

const columns =
  "id, command, max_retries, priority, timeout, queue, tags, cwd, env, rules, held, key, after, unique_key, run_at";

/** Rows gathered between two writes to the temporary table. */
const gatheredAtOnce = 500;

export async function bulkEnqueue(connection: Connection, source: AsyncIterable<NewJob>): Promise<Enqueued> {
  const { db, plain, write } = connection;
  const batch = ++batches;
  await plain(() =>
    db.run(`
      create temp table if not exists staged (
        batch integer not null, place integer not null, id text not null, given integer not null, command text not null,
        max_retries integer not null, priority integer not null, timeout real not null, queue text not null,
        tags text not null, cwd text not null, env text not null, rules text not null, held integer not null, key text,
        after text not null, unique_key text, unique_ms integer not null, run_at integer,
        primary key (batch, place)
      ) strict, without rowid
    `),
  );
  try {
    await stage(connection, source, batch);
    const { count, first, known } = await write(() => {
      const known = setKnownAside(connection, batch);
      return { ...move(connection, batch), known };
    });
    const stored = () => idsFrom(connection, first, count);
    return { count: count + known.size, known: known.size, ids: () => withKnown(stored(), known) };
  } finally {
    await plain(() => db.run("delete from temp.staged where batch = ?", [batch]));
  }
}

async function stage({ db, plain }: Connection, source: AsyncIterable<NewJob>, batch: number): Promise<void> {
  let place = 0;
  using insert = db.prepare(`
    insert into staged (batch, place, ${columns}, given, unique_ms)
    values ($batch, $place, $id, $command, $max_retries, $priority, $timeout, $queue, $tags, $cwd, $env,
      $rules, $held, $key, $after, $unique_key, $run_at, $given, $unique_ms)
  `);
  const save = db.transaction((jobs: readonly NewJob[]) => {
    for (const job of jobs) {
      insert.run({
        batch,
        place: ++place,
        id: job.id ?? newJobId(),
        given: Number(job.id !== undefined),
        command: job.command,
        max_retries: job.max_retries,
        priority: job.priority,
        timeout: job.timeout,
        queue: job.queue,
        tags: JSON.stringify(job.tags),
        cwd: job.cwd,
        env: JSON.stringify(job.env),
        rules: JSON.stringify(job.rules),
        held: Number(job.held),
        key: job.key,
        after: JSON.stringify(job.after),
        unique_key: job.unique?.key ?? null,
        unique_ms: Math.round((job.unique?.seconds ?? 0) * 1000),
        run_at: job.run_at ?? null,
      });
    }
  });
  let gathered: NewJob[] = [];
  for await (const job of source) {
    gathered.push(job);
    if (gathered.length < gatheredAtOnce) continue;
    await plain(() => save.deferred(gathered));
    gathered = [];
  }
  await plain(() => save.deferred(gathered));
}

function move(connection: Connection, batch: number): { count: number; first: number } {
  const { sql, clock } = connection;
  const now = clock();
  for (;;) {
    try {
      sql(`
        insert into jobs (${columns.replace("after, ", "")}, state, ready, next_run_at, created_at, updated_at)
        select
          id, command, max_retries, priority, timeout, queue, tags, cwd, env, rules, held, key, unique_key, coalesce(run_at, $now),
          'pending', coalesce(run_at, $now) <= $now and not held, iif(held, null, coalesce(run_at, $now)), $now, $now
        from staged where batch = $batch order by place
      `).run({ batch, now });
      break;
    } catch (error) {
      const taken = error instanceof SQLiteError && error.code === "SQLITE_CONSTRAINT_UNIQUE";
      if (!taken) throw error;
      redrawTakenIds(connection, batch);
    }
  }
  const { count, first } = sql(`
    select count(*) as count, (select max(seq) from jobs) - count(*) + 1 as first from staged where batch = $batch
  `).get({ batch });
  const counts = countChanges(connection);
  // What waits for others stands in no line for a key.
  addStagedParents(connection, batch, { counts, now });
  parkInLine(connection, batch, first);
  sql(`
    insert or ignore into job_tags (tag, seq)
    select tag.value, jobs.seq from staged join jobs using (id), json_each(staged.tags) as tag
    where staged.batch = $batch and staged.tags <> '[]'
  `).run({ batch });
  const perQueue = sql("select queue, count(*) as jobs from staged where batch = $batch group by queue");
  for (const { queue, jobs } of perQueue.all({ batch })) {
    counts.addMany(queue, "pending", jobs);
  }
  counts.save();
  return { count, first };
}

/** Of the jobs of one key and queue all but the first wait for it; claims need not meet them one by one. */
function parkInLine({ sql }: Connection, batch: number, first: number): void {
  if (!sql("select 1 from staged where batch = $batch and key is not null limit 1").get({ batch })) return;
  sql(`
    update jobs set parked = 1, ready = 0, next_run_at = null where seq in (
      select seq from (
        select seq, row_number() over (partition by key, queue order by priority desc, seq) as place
        from jobs where seq >= $first and ready = 1 and key is not null
      ) where place > 1
    )
  `).run({ first });
}

/** Refuses an id that a user gave twice or that is taken; gives other ids where generated ones are. */
function redrawTakenIds({ sql }: Connection, batch: number): void {
  const taken = sql(`
    select place, id, given, 0 as twice from staged where batch = $batch and id in (select id from jobs)
    union all
    select place, id, given, 1 as twice from staged where batch = $batch and id in (
      select id from staged where batch = $batch group by id having count(*) > 1
    )
    order by given desc, place
  `).all({ batch });
  for (const { place, id, given, twice } of taken) {
    if (given) throw twice ? idTwice(id) : idTaken(id);
    sql("update staged set id = $id where batch = $batch and place = $place").run({
      id: newJobId(),
      batch,
      place,
    });
  }
}

async function* idsFrom({ sql, read }: Connection, first: number, count: number): AsyncIterable<string> {
  const pageSize = 1000;
  for (let from = first; from < first + count; from += pageSize) {
    const to = Math.min(from + pageSize, first + count) - 1;
    const rows = await read(() =>
      sql("select id from jobs where seq between $from and $to").all({ from, to }),
    );
    for (const row of rows) yield row.id;
  }
}
