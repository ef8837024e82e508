// Jobs are looked up in PostgreSQL: one by its id, a list, their states, their attempts.

import type { SQL } from "bun";
import { isId } from "../../domain/id.ts";
import type { JobState } from "../../domain/job.ts";
import type { JobFilter, JobHistory, Lookup, Page } from "../jobs.ts";
import { ambiguousId, noSuchJob } from "../refusals.ts";
import { attemptFrom, type JobRow, jobFrom, readable } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { groupsOf } from "./counts.ts";
import { relatives } from "./dependencies.ts";
import { isByText, lastPlace, matches, newestOf } from "./matching.ts";
import { attemptRow, jobRow, type Row } from "./rows.ts";

export const lookup = ({ ask }: Connection): Lookup => ({
  find: (idOrPrefix) => ask(async (sql) => jobFrom(await findRow(sql, idOrPrefix))),

  history: (idOrPrefix) => ask((sql) => history(sql, idOrPrefix)),

  named: (idOrPrefix) => ask((sql) => findRow(sql, idOrPrefix)),

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
});

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

/** One statement sees one moment; two would not. */
async function history(sql: SQL, wanted: string): Promise<JobHistory> {
  const { seq } = await findRow(sql, wanted);
  const [found] = await sql`
    select jobs.*, (
      select coalesce(json_agg(one order by one.number), '[]') from queuectl.all_attempts one
      where one.job_seq = jobs.seq
    ) as history
    from queuectl.jobs where seq = ${seq}
  `;
  if (!found) throw noSuchJob(wanted);
  const { history, ...job }: Row = found;
  return {
    job: jobFrom(jobRow(job)),
    attempts: history.map((attempt: Row) => attemptFrom(attemptRow(attempt))),
  };
}

async function list(sql: SQL, filter: JobFilter, { limit, before }: Page) {
  const most = limit === 0 ? null : limit;
  if (!isByText(filter)) {
    const rows = await newestOf(sql, filter, { before, limit: most });
    const groups = await groupsOf(sql, { state: filter.state ?? null, queue: filter.queue ?? null });
    return { ...readable(rows), total: groups.reduce((sum, group) => sum + group.jobs, 0) };
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
  return { ...readable(rows.map(jobRow)), total: Number(total) };
}
