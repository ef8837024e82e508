// Jobs by a filter, a window at a time, and what is done to all of them. Where a text or a tag has to be compared, a window looks
// at a bounded number of jobs, so that no question costs more with a longer history.

import type { SQL } from "bun";
import type { JobFilter, RemovedJob } from "../jobs.ts";
import {
  type JobChange,
  type JobSpan,
  type JobWindow,
  type Matching,
  mostGroups,
  shareOf,
} from "../matching.ts";
import { applies } from "../refusals.ts";
import { type JobRow, legibleJob } from "../rows.ts";
import { makePending, markCancelled, remove } from "./change-steps.ts";
import type { Connection } from "./connection.ts";
import { groupsOf } from "./counts.ts";
import { holdBack, letGo } from "./held.ts";
import type { Notifier } from "./notify.ts";
import { sweepOutput } from "./output.ts";
import { jobRow, type Row } from "./rows.ts";

/** Behind the number of every job. */
export const lastPlace = Number.MAX_SAFE_INTEGER;

export function matching(connection: Connection, notifier: Notifier): Matching {
  const { ask, write } = connection;

  return {
    page: (filter, window) =>
      ask(async (sql) => {
        const [{ rows, older }, total] = await Promise.all([
          pageOf(sql, filter, window),
          totalOf(sql, filter),
        ]);
        return { jobs: rows.map(legibleJob), older, total };
      }),

    newest: () =>
      ask(async (sql) => Number((await sql`select coalesce(max(seq), 0) as seq from queuectl.jobs`)[0].seq)),

    count: (filter, window) =>
      ask(async (sql) => {
        const { rows, older } = await windowOf(sql, filter, window);
        return { jobs: rows.length, older };
      }),

    async change(change, filter, window) {
      const done = await write(async (tx) => {
        const { rows, older } = await windowOf(tx, filter, window);
        const locked: Row[] = await tx`
          select * from queuectl.jobs where seq = any(${tx.array(
            rows.map(({ seq }) => seq),
            "BIGINT",
          )})
          and ${matches(tx, filter)} order by seq for update
        `;
        const apt = locked.map(jobRow).filter((row) => applies(change, row));
        let removed: readonly RemovedJob[] = [];
        if (change === "delete") removed = await remove(connection, tx, apt);
        else await changes[change](connection, tx, apt);
        return { changed: apt.length, left: locked.length - apt.length, removed, older };
      });
      notifier.say("work");
      if (change === "delete") await sweepOutput(connection);
      return done;
    },
  };
}

const changes: Readonly<
  Record<
    Exclude<JobChange, "delete">,
    (connection: Connection, tx: SQL, rows: readonly JobRow[]) => Promise<unknown>
  >
> = { retry: makePending, cancel: markCancelled, hold: holdBack, release: letGo };

interface Window {
  readonly rows: readonly JobRow[];
  /** Where to go on; undefined at the end. */
  readonly older: number | undefined;
}

/** At most `limit` jobs, and from which place on there are more. */
async function pageOf(sql: SQL, filter: JobFilter, window: JobWindow): Promise<Window> {
  const found = isByText(filter)
    ? await lookThrough(sql, filter, window)
    : { rows: await newestOf(sql, filter, { ...window, limit: window.limit + 1 }), older: undefined };
  if (found.rows.length > window.limit) {
    const rows = found.rows.slice(0, window.limit);
    return { rows, older: rows.at(-1)!.seq };
  }
  return isByText(filter) && window.before === undefined
    ? withNamed(sql, filter, found, window.limit)
    : found;
}

/** All that match among a window's jobs. */
async function windowOf(sql: SQL, filter: JobFilter, { before, limit }: JobSpan): Promise<Window> {
  if (isByText(filter)) return lookThrough(sql, filter, { before, limit: lastPlace - 1, scan: limit });
  const rows = await newestOf(sql, filter, { before, limit });
  return { rows, older: rows.length < limit ? undefined : rows.at(-1)!.seq };
}

export const isByText = ({ search, tag }: JobFilter) => search !== undefined || tag !== undefined;

/** The condition that a row of `jobs` fits a filter, but for its tag. */
export const matches = (sql: SQL, { state = null, queue = null, search = null }: JobFilter | Nulls) => sql`
  (${state}::text is null or state = ${state}) and (${queue}::text is null or queue = ${queue})
  and (
    ${search}::text is null or position(lower(${search}) in lower(id)) > 0 or position(lower(${search}) in lower(command)) > 0
  )
`;

type Nulls = { readonly [K in "state" | "queue" | "search"]?: string | null };

/** Merges the newest of each queue and state that match: as quick with millions of others as without. */
export async function newestOf(
  sql: SQL,
  { state, queue }: JobFilter,
  { before = lastPlace, limit }: { readonly before?: number | undefined; readonly limit: number | null },
): Promise<JobRow[]> {
  if (state === undefined && queue === undefined) {
    const rows: Row[] = await sql`
      select * from queuectl.jobs where seq < ${before} order by seq desc limit ${limit}::bigint
    `;
    return rows.map(jobRow);
  }
  const groups = await groupsOf(sql, { state: state ?? null, queue: queue ?? null });
  const asked = sql`jsonb_to_recordset(${groups}::jsonb) as wanted(queue text, state text)`;
  const among =
    limit !== null && groups.length > mostGroups
      ? near(sql, asked, { before, limit, share: shareOf(limit, groups.length) })
      : sql`(select queue, state, 0 as first from ${asked}) as wanted`;
  const rows: Row[] = await sql`
    select found.* from ${among} cross join lateral (
      select * from queuectl.jobs where ${isWanted(sql, before, sql`wanted.first`)}
      order by jobs.queue desc, jobs.state desc, jobs.seq desc limit ${limit}::bigint
    ) as found
    order by found.seq desc limit ${limit}::bigint
  `;
  return rows.map(jobRow);
}

interface Share {
  readonly before: number;
  readonly limit: number;
  readonly share: number;
}

/**
 * Of many groups those that have any of the newest jobs, and the first of these, by a few of the newest of each: older ones need not be
 * looked at in any. All where those few are not as many as are wanted.
 */
const near = (sql: SQL, asked: Bun.SQL.Query<unknown>, { before, limit, share }: Share) => sql`(
  with wanted as materialized (select queue, state from ${asked}),
  newest as materialized (
    select wanted.queue, wanted.state, found.seq from wanted cross join lateral (
      select seq from queuectl.jobs where ${isWanted(sql, before)}
      order by jobs.queue desc, jobs.state desc, jobs.seq desc limit ${share}
    ) as found
    order by found.seq desc limit ${limit}
  )
  select queue, state, (select min(seq) from newest) as first from newest
  where (select count(*) from newest) = ${limit} group by queue, state
  union all
  select queue, state, 0 from wanted where (select count(*) from newest) < ${limit}
) as wanted`;

/**
 * Jobs of one wanted queue and state, enqueued before a place and not before another one. Said as a part of the index `jobs_by_state`,
 * and to be ordered by its columns: told by equality, the planner takes a walk through all jobs in their order for the cheaper way to
 * the newest of them.
 */
const isWanted = (sql: SQL, before: number = lastPlace, from = sql`0`) => sql`
  (jobs.queue, jobs.state, jobs.seq) >= (wanted.queue, wanted.state, ${from})
  and (jobs.queue, jobs.state, jobs.seq) < (wanted.queue, wanted.state, ${before})
`;

/** Looks at the next jobs of the narrowest index there is, about `scan` of them, the newest first. */
async function lookThrough(sql: SQL, filter: JobFilter, { before, limit, scan }: JobWindow): Promise<Window> {
  const { seqs, older } = await candidates(sql, filter, before ?? lastPlace, scan);
  const rows: Row[] = await sql`
    select * from queuectl.jobs where seq = any(${sql.array(seqs, "BIGINT")}) and ${matches(sql, filter)}
    order by seq desc limit ${limit + 1}::bigint
  `;
  return { rows: rows.map(jobRow), older };
}

interface Candidates {
  readonly seqs: number[];
  /** Where those begin that were not looked at; undefined when all were. */
  readonly older: number | undefined;
}

async function candidates(sql: SQL, filter: JobFilter, before: number, scan: number): Promise<Candidates> {
  const { tag, state, queue } = filter;
  const whole = (rows: Row[]): Candidates => {
    const seqs = rows.map(({ seq }) => Number(seq));
    return { seqs, older: seqs.length < scan ? undefined : seqs.at(-1) };
  };
  if (tag !== undefined) {
    return whole(
      await sql`select seq from queuectl.job_tags where tag = ${tag} and seq < ${before} order by seq desc limit ${scan}`,
    );
  }
  const groups =
    state === undefined && queue === undefined
      ? []
      : await groupsOf(sql, { state: state ?? null, queue: queue ?? null });
  if ((state === undefined && queue === undefined) || groups.length > mostGroups) {
    return whole(
      await sql`select seq from queuectl.jobs where seq < ${before} order by seq desc limit ${scan}`,
    );
  }
  const share = Math.ceil(scan / Math.max(1, groups.length));
  const rows: Row[] = await sql`
    select wanted.queue, wanted.state, found.seq
    from jsonb_to_recordset(${groups}::jsonb) as wanted(queue text, state text) cross join lateral (
      select seq from queuectl.jobs where ${isWanted(sql, before)}
      order by jobs.queue desc, jobs.state desc, jobs.seq desc limit ${share}
    ) as found
  `;
  const parts = Map.groupBy(rows, (row) => `${row.state} ${row.queue}`).values();
  // Below the last one of a part that was cut off, that part may have others; so all stop there.
  const ends = [...parts].flatMap((part) =>
    part.length < share ? [] : [Math.min(...part.map(({ seq }) => Number(seq)))],
  );
  const end = ends.length === 0 ? undefined : Math.max(...ends);
  const seqs = rows.map(({ seq }) => Number(seq)).filter((seq) => end === undefined || seq >= end);
  return { seqs, older: end };
}

/** A job whose id begins with what is searched is found however old it is. */
async function withNamed(sql: SQL, filter: JobFilter, found: Window, limit: number): Promise<Window> {
  const { search, tag } = filter;
  if (search === undefined || tag !== undefined) return found;
  const rows: Row[] = await sql`
    select * from queuectl.jobs where id >= ${search} and id < ${`${search}~`} and ${matches(sql, filter)} order by id limit ${limit}
  `;
  const known = new Set(found.rows.map(({ seq }) => seq));
  const named = rows.map(jobRow).filter(({ seq }) => !known.has(seq));
  return { rows: [...named, ...found.rows].slice(0, limit), older: found.older };
}

/** How many match in all, where that is counted. */
async function totalOf(sql: SQL, filter: JobFilter): Promise<number | undefined> {
  if (isByText(filter)) return undefined;
  const groups = await groupsOf(sql, { state: filter.state ?? null, queue: filter.queue ?? null });
  return groups.reduce((sum, { jobs }) => sum + jobs, 0);
}
