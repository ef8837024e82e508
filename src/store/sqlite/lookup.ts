// Jobs are looked up in SQLite: one by its id, a list, their states, their attempts.

import { isId } from "../../domain/id.ts";
import type { JobFilter, Lookup, Page } from "../jobs.ts";
import { ambiguousId, noSuchJob } from "../refusals.ts";
import { attemptFrom, type JobRow, jobFrom, readable } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { relatives } from "./dependencies.ts";
import { newestOf } from "./newest.ts";

export function lookup(connection: Connection): Lookup {
  const { sql, read } = connection;

  const attempts = (seq: number) =>
    sql("select * from attempts where job_seq = $seq order by number").all({ seq }).map(attemptFrom);

  return {
    find: (idOrPrefix) => read(() => jobFrom(findRow(connection, idOrPrefix))),

    history: (idOrPrefix) =>
      read(() => {
        const job = jobFrom(findRow(connection, idOrPrefix));
        return { job, attempts: attempts(job.seq) };
      }),

    named: (idOrPrefix) => read(() => findRow(connection, idOrPrefix)),

    list: (filter, page) =>
      read(() => {
        const { rows, total } = select(connection, filter, page);
        return { ...readable(rows), total };
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

    attempts: (seq) => read(() => attempts(seq)),
  };
}

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

function selectByState(connection: Connection, { state, queue }: JobFilter, bounds: Bounds): Selection {
  const { total } = connection
    .sql(`
      select coalesce(sum(jobs), 0) as total from counts
      where ($state is null or state = $state) and ($queue is null or queue = $queue)
    `)
    .get({ state: state ?? null, queue: queue ?? null });
  return { rows: newestOf(connection, { state, queue, ...bounds }), total };
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
