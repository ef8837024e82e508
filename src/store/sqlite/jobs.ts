// Jobs in SQLite: stored, looked up, and changed by a user's word.

import { isId } from "../../domain/id.ts";
import { isSettled } from "../../domain/job.ts";
import type { JobFilter, Jobs, Page, RemovedJob } from "../jobs.ts";
import {
  ambiguousId,
  jobIsGone,
  noSuchJob,
  refuseUnless,
  refuseUnlessHeld,
  refuseUnlessWaiting,
  wrongState,
} from "../refusals.ts";
import { attemptFrom, type JobRow, jobFrom } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { forgetRemoved, isEnded, relatives, tellChildren, waitNoMore } from "./dependencies.ts";
import { enqueueing } from "./enqueue.ts";

export function jobs(connection: Connection): Jobs {
  const { sql, read, write, clock } = connection;

  return {
    ...enqueueing(connection),

    enqueueAll: async (source) => (await import("./bulk-enqueue.ts")).bulkEnqueue(connection, source),

    find: (idOrPrefix) => read(() => jobFrom(findRow(connection, idOrPrefix))),

    list: (filter, page) =>
      read(() => {
        const { rows, total } = select(connection, filter, page);
        return { jobs: rows.map(jobFrom), total };
      }),

    following: (seq, limit) =>
      read(() =>
        sql("select * from jobs where seq > $seq order by seq limit $limit").all({ seq, limit }).map(jobFrom),
      ),

    states: (seqs) =>
      read(() => {
        const rows: Pick<JobRow, "seq" | "state">[] = sql(
          "select seq, state from jobs where seq in (select value from json_each($seqs))",
        ).all({ seqs: JSON.stringify(seqs) });
        return new Map(rows.map(({ seq, state }) => [seq, state]));
      }),

    relatives: (seq, limit) => read(() => relatives(connection, seq, limit)),

    attempts: (seq) =>
      read(() =>
        sql("select * from attempts where job_seq = $seq order by number").all({ seq }).map(attemptFrom),
      ),

    cancel: (seqs) =>
      change(connection, seqs, (row, now) => {
        if (isSettled(row.state)) throw wrongState(row, "cannot be cancelled");
        return markCancelled(connection, row, now);
      }),

    async hold(seqs) {
      const { holdBack } = await import("./held.ts");
      return change(connection, seqs, (row, now) => {
        refuseUnlessWaiting(row, "held");
        return holdBack(connection, row.seq, now);
      });
    },

    async release(seqs) {
      const { letGo } = await import("./held.ts");
      return change(connection, seqs, (row, now) => {
        refuseUnlessHeld(row);
        return letGo(connection, row.seq, now);
      });
    },

    async edit(seq, edit) {
      const { rewrite } = await import("./edit.ts");
      const [job] = await change(connection, [seq], (row, now) => {
        refuseUnlessWaiting(row, "edited");
        return rewrite(connection, row, edit, now);
      });
      return job!;
    },

    retry: (seqs, only) =>
      change(connection, seqs, (row, now) => {
        refuseUnless(row, only, "retried");
        return makePending(connection, row, now);
      }),

    async retryEdited(seq, edit) {
      const { rewrite } = await import("./edit.ts");
      const [job] = await change(connection, [seq], (row, now) => {
        refuseUnless(row, "dead", "retried");
        return rewrite(connection, makePending(connection, row, now), edit, now);
      });
      return job!;
    },

    delete: (seqs, only) =>
      write(() => {
        const rows = [...new Set(seqs)].map((seq) => rowOf(connection, seq));
        for (const row of rows) refuseUnless(row, only, "deleted");
        return removeAll(connection, rows);
      }),

    retryDead: (limit) =>
      write(() => {
        const counts = countChanges(connection);
        const rows = oldestDead(connection, limit);
        for (const row of rows) counts.move(row, makePending(connection, row, clock()));
        counts.save();
        return rows.length;
      }),

    deleteDead: (limit) => write(() => removeAll(connection, oldestDead(connection, limit))),

    prune: (before, limit, states = ["completed", "cancelled"]) =>
      write(() => {
        const rows: JobRow[] = [];
        for (const state of states) {
          const finished = sql(`
            select * from jobs where ${isFinished} and state = $state and finished_at < $before
              and not exists (select 1 from dependencies where parent = jobs.seq and waits = 1)
            order by finished_at limit $limit
          `);
          rows.push(...finished.all({ state, before, limit: limit - rows.length }));
        }
        return removeAll(connection, rows);
      }),

    finishedBefore: (before, state) =>
      read(
        () =>
          sql(`
            select count(*) as jobs from jobs where ${isFinished} and state = $state and finished_at < $before
          `).get({ state, before }).jobs,
      ),
  };
}

/** What the index of finished jobs is for, in its own words: SQLite does not see that any others imply them. */
const isFinished = "state in ('completed', 'dead', 'cancelled')";

function findRow({ sql }: Connection, wanted: string): JobRow {
  if (!isId(wanted)) throw noSuchJob(wanted);
  const exact = sql("select * from jobs where id = $wanted").get({ wanted });
  if (exact) return exact;
  // "~" sorts behind every character that an id may have.
  const rows: JobRow[] = sql(
    "select * from jobs where id > $wanted and id < $wanted || '~' order by id limit 4",
  ).all({
    wanted,
  });
  if (rows.length === 0) throw noSuchJob(wanted);
  if (rows.length === 1) return rows[0]!;
  throw ambiguousId(
    wanted,
    rows.map(({ id }) => id),
  );
}

function rowOf({ sql }: Connection, seq: number): JobRow {
  const row: JobRow | null = sql("select * from jobs where seq = $seq").get({ seq });
  if (!row) throw jobIsGone();
  return row;
}

function change(connection: Connection, seqs: readonly number[], step: (row: JobRow, now: number) => JobRow) {
  return connection.write(() => {
    const now = connection.clock();
    const counts = countChanges(connection);
    const changed: JobRow[] = [];
    for (const seq of new Set(seqs)) {
      const before = rowOf(connection, seq);
      const after = step(before, now);
      counts.move(before, after);
      changed.push(after);
    }
    tellChildren(connection, changed.filter(isEnded), { counts, now });
    counts.save();
    return changed.map(jobFrom);
  });
}

/** A waiting job is cancelled with this; a running one is marked for its worker. */
export function markCancelled(connection: Connection, row: JobRow, now: number): JobRow {
  const { sql } = connection;
  const { seq, state } = row;
  if (state === "processing") {
    return sql(`
      update jobs set cancel_requested_at = coalesce(cancel_requested_at, $now), updated_at = $now
      where seq = $seq returning *
    `).get({ seq, now });
  }
  waitNoMore(connection, row);
  return sql(`
    update jobs set
      state = 'cancelled', ready = 0, held = 0, parked = 0, unmet = 0, next_run_at = null, finished_at = $now, updated_at = $now
    where seq = $seq returning *
  `).get({ seq, now });
}

export function makePending(connection: Connection, row: JobRow, now: number): JobRow {
  waitNoMore(connection, row);
  return connection
    .sql(`
    update jobs set
      state = 'pending', ready = 1, held = 0, parked = 0, unmet = 0, attempts = 0, lost_in_row = 0, next_run_at = $now, updated_at = $now,
      finished_at = null, cancel_requested_at = null
    where seq = $seq returning *
  `)
    .get({ seq: row.seq, now });
}

/** The dead jobs that were enqueued first. `cross join` keeps SQLite from walking all jobs and asking each for its count. */
function oldestDead({ sql }: Connection, limit: number): JobRow[] {
  return sql(`
    select jobs.* from counts cross join jobs on jobs.seq in (
      select seq from jobs where queue = counts.queue and state = 'dead' order by seq limit $limit
    )
    where counts.jobs > 0 and counts.state = 'dead'
    order by jobs.seq limit $limit
  `).all({ limit });
}

function remove({ sql }: Connection, row: JobRow): RemovedJob {
  const { seq } = row;
  for (const tag of new Set<string>(JSON.parse(row.tags))) {
    sql("delete from job_tags where tag = $tag and seq = $seq").run({ tag, seq });
  }
  sql("delete from attempts where job_seq = $seq").run({ seq });
  sql("delete from schedule_runs where job_seq = $seq").run({ seq });
  sql("delete from jobs where seq = $seq").run({ seq });
  return { seq, attempts: row.attempt_number };
}

/** Removes jobs, counts included, and tells those that come after them. */
export function removeAll(connection: Connection, rows: readonly JobRow[]): RemovedJob[] {
  const counts = countChanges(connection);
  for (const row of rows) counts.add(row, -1);
  const removed = rows.map((row) => remove(connection, row));
  if (rows.length > 0) forgetRemoved(connection, rows, { counts, now: connection.clock() });
  counts.save();
  return removed;
}

interface Selection {
  readonly rows: readonly JobRow[];
  readonly total: number;
}

/** The whole of `select` for a filter: each kind of filter has the statement that its index serves. */
function select(connection: Connection, filter: JobFilter, page: Page): Selection {
  const bounds = {
    before: page.before ?? Number.MAX_SAFE_INTEGER,
    limit: page.limit === 0 ? -1 : page.limit,
  };
  if (filter.search !== undefined || filter.tag !== undefined)
    return selectByText(connection, filter, bounds);
  return selectByState(connection, filter, bounds);
}

interface Bounds {
  readonly before: number;
  readonly limit: number;
}

/** Merges the newest of each queue and state that match: as quick with millions of others as without. */
function selectByState({ sql }: Connection, wanted: JobFilter, bounds: Bounds): Selection {
  const filter = { state: wanted.state ?? null, queue: wanted.queue ?? null };
  const rows = sql(`
    select jobs.* from counts join jobs on jobs.seq in (
      select seq from jobs where queue = counts.queue and state = counts.state and seq < $before
      order by seq desc limit $limit
    )
    where counts.jobs > 0 and ($state is null or counts.state = $state) and ($queue is null or counts.queue = $queue)
    order by jobs.seq desc limit $limit
  `).all({ ...filter, ...bounds });
  const { total } = sql(`
    select coalesce(sum(jobs), 0) as total from counts
    where ($state is null or state = $state) and ($queue is null or queue = $queue)
  `).get(filter);
  return { rows, total };
}

/** Walks the jobs of a tag, or all of them, the newest first. */
function selectByText({ sql }: Connection, filter: JobFilter, bounds: Bounds): Selection {
  const byTag = filter.tag !== undefined;
  const source = byTag ? "job_tags join jobs using (seq) where tag = $tag" : "jobs where true";
  const place = byTag ? "job_tags.seq" : "jobs.seq";
  const matches = `
    ($state is null or state = $state) and ($queue is null or queue = $queue)
    and ($search is null or instr(lower(id), lower($search)) or instr(lower(command), lower($search)))
  `;
  const values = {
    state: filter.state ?? null,
    queue: filter.queue ?? null,
    search: filter.search ?? null,
    ...(byTag && { tag: filter.tag }),
  };
  return {
    rows: sql(`
      select jobs.* from ${source} and ${place} < $before and ${matches} order by ${place} desc limit $limit
    `).all({ ...values, ...bounds }),
    total: sql(`select count(*) as total from ${source} and ${matches}`).get(values).total,
  };
}
