// Jobs by a filter, a window at a time, and what is done to all of them. Where a text or a tag has to be compared, a window looks
// at a bounded number of jobs, so that no question costs more with a longer history.

import type { JobFilter } from "../jobs.ts";
import { type JobChange, type JobSpan, type JobWindow, type Matching, mostGroups } from "../matching.ts";
import { applies } from "../refusals.ts";
import { type JobRow, legibleJob } from "../rows.ts";
import { makePending, markCancelled, removeAll } from "./change-steps.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { isEnded, tellChildren } from "./dependencies.ts";
import { holdBack, letGo } from "./held.ts";
import { newestOf, ofGroup } from "./newest.ts";

export function matching(connection: Connection): Matching {
  const { sql, read, write, clock } = connection;

  return {
    page: (filter, window) =>
      read(() => {
        const { rows, older } = pageOf(connection, filter, window);
        return { jobs: rows.map(legibleJob), older, total: totalOf(connection, filter) };
      }),

    newest: () => read(() => sql("select max(seq) as seq from jobs").get().seq ?? 0),

    count: (filter, window) =>
      read(() => {
        const { rows, older } = windowOf(connection, filter, window);
        return { jobs: rows.length, older };
      }),

    change: (change, filter, window) =>
      write(() => {
        const { rows, older } = windowOf(connection, filter, window);
        const now = clock();
        const apt = rows.filter((row) => applies(change, row));
        const found = { changed: apt.length, left: rows.length - apt.length, older };
        if (change === "delete") return { ...found, removed: removeAll(connection, apt) };
        const counts = countChanges(connection);
        const changed = apt.map((row) => changes[change](connection, row, now));
        for (const [n, row] of changed.entries()) counts.move(apt[n]!, row);
        tellChildren(connection, changed.filter(isEnded), { counts, now });
        counts.save();
        return { ...found, removed: [] };
      }),
  };
}

const changes: Readonly<
  Record<Exclude<JobChange, "delete">, (connection: Connection, row: JobRow, now: number) => JobRow>
> = {
  retry: makePending,
  cancel: markCancelled,
  hold: (connection, { seq }, now) => holdBack(connection, seq, now),
  release: (connection, { seq }, now) => letGo(connection, seq, now),
};

interface Window {
  readonly rows: readonly JobRow[];
  /** Where to go on; undefined at the end. */
  readonly older: number | undefined;
}

/** At most `limit` jobs, and from which place on there are more. */
function pageOf(connection: Connection, filter: JobFilter, window: JobWindow): Window {
  const found = isByText(filter)
    ? lookThrough(connection, filter, window)
    : byState(connection, filter, { before: window.before, limit: window.limit + 1 });
  if (found.rows.length > window.limit) {
    const rows = found.rows.slice(0, window.limit);
    return { rows, older: rows.at(-1)!.seq };
  }
  if (!isByText(filter)) return { rows: found.rows, older: undefined };
  return window.before === undefined ? withNamed(connection, filter, found, window.limit) : found;
}

/** All that match among a window's jobs. */
function windowOf(connection: Connection, filter: JobFilter, { before, limit }: JobSpan): Window {
  if (isByText(filter))
    return lookThrough(connection, filter, { before, limit: Number.MAX_SAFE_INTEGER - 1, scan: limit });
  const { rows } = byState(connection, filter, { before, limit });
  return { rows, older: rows.length < limit ? undefined : rows.at(-1)!.seq };
}

const isByText = ({ search, tag }: JobFilter) => search !== undefined || tag !== undefined;

const isMatch = `
  ($state is null or jobs.state = $state) and ($queue is null or jobs.queue = $queue)
  and ($search is null or instr(lower(jobs.id), lower($search)) or instr(lower(jobs.command), lower($search)))
`;

const valuesOf = ({ state, queue, search }: JobFilter) => ({
  state: state ?? null,
  queue: queue ?? null,
  search: search ?? null,
});

const place = (before: number | undefined) => before ?? Number.MAX_SAFE_INTEGER;

/** Looks at the next jobs of the narrowest index there is, about `scan` of them, the newest first. */
function lookThrough(connection: Connection, filter: JobFilter, { before, limit, scan }: JobWindow): Window {
  const { from, older } = stretchOf(connection, filter, place(before), scan);
  const rows: JobRow[] = connection
    .sql(`
      select jobs.* from ${from} and jobs.seq >= $end and jobs.seq < $before where ${isMatch}
      order by jobs.seq desc limit $limit
    `)
    .all({
      ...valuesOf(filter),
      ofState: filter.state ?? null,
      ofQueue: filter.queue ?? null,
      tag: filter.tag ?? null,
      end: older ?? 0,
      before: place(before),
      limit: limit + 1,
    });
  return { rows, older };
}

interface Stretch {
  /** The jobs that are looked at, in SQL: a join whose condition goes on. */
  readonly from: string;
  /** The last of them; undefined when there are no others behind it. */
  readonly older: number | undefined;
}

const withTag =
  "job_tags join jobs on job_tags.tag = $tag and jobs.seq = job_tags.seq and job_tags.seq >= $end and job_tags.seq < $before";
const anyJob = "(select 1) join jobs on true";

function stretchOf({ sql }: Connection, filter: JobFilter, before: number, scan: number): Stretch {
  /** The job at which so many were looked at. */
  const endOf = (text: string, values: Readonly<Record<string, string>>, many: number): number | undefined =>
    sql(`${text} and seq < $before order by seq desc limit 1 offset $skipped`).get({
      ...values,
      before,
      skipped: many - 1,
    })?.seq;

  if (filter.tag !== undefined)
    return {
      from: withTag,
      older: endOf("select seq from job_tags where tag = $tag", { tag: filter.tag }, scan),
    };
  const { state, queue } = filter;
  const any = () => ({ from: anyJob, older: endOf("select seq from jobs where true", {}, scan) });
  if (state === undefined && queue === undefined) return any();
  const groups: { queue: string; state: string }[] = sql(`
    select queue, state from counts where ${ofGroup}
  `).all({ ofState: state ?? null, ofQueue: queue ?? null });
  if (groups.length > mostGroups) return any();
  const share = Math.ceil(scan / Math.max(1, groups.length));
  const ends = groups.flatMap(
    (group) => endOf("select seq from jobs where queue = $queue and state = $state", group, share) ?? [],
  );
  // Below the last one of a group that goes on, that group may have others; so all stop there.
  return { from: ofGroups, older: ends.length === 0 ? undefined : Math.max(...ends) };
}

const ofGroups = `
  counts cross join jobs on ${ofGroup} and jobs.queue = counts.queue and jobs.state = counts.state
`;

const byState = (
  connection: Connection,
  { state, queue }: JobFilter,
  { before, limit }: JobSpan,
): Window => ({
  rows: newestOf(connection, { state, queue, before: place(before), limit }),
  older: undefined,
});

/** A job whose id begins with what is searched is found however old it is. */
function withNamed({ sql }: Connection, filter: JobFilter, found: Window, limit: number): Window {
  if (filter.search === undefined || filter.tag !== undefined) return found;
  const named: JobRow[] = sql(`
    select * from jobs where id >= $search and id < $search || '~' and ${isMatch} order by id limit $limit
  `).all({ ...valuesOf(filter), limit });
  const known = new Set(found.rows.map(({ seq }) => seq));
  const rows = [...named.filter(({ seq }) => !known.has(seq)), ...found.rows];
  return { rows: rows.slice(0, limit), older: found.older };
}

/** How many match in all, where that is counted. */
function totalOf({ sql }: Connection, filter: JobFilter): number | undefined {
  if (isByText(filter)) return undefined;
  return sql(`select coalesce(sum(jobs), 0) as total from counts where ${ofGroup}`).get({
    ofState: filter.state ?? null,
    ofQueue: filter.queue ?? null,
  }).total;
}
