// What a run has left in its database, read past the program.

import { Database } from "bun:sqlite";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SQL } from "bun";
import { jobLogPath } from "../../src/home.ts";

export interface Found {
  readonly jobs: readonly JobFound[];
  readonly attempts: readonly AttemptFound[];
  readonly kept: readonly Kept[];
  /** What the database says of itself that is wrong. */
  readonly damage: readonly string[];
}

export interface JobFound {
  readonly id: string;
  readonly seq: number;
  readonly state: string;
  readonly attempts: number;
  readonly attempt_number: number;
  readonly lease_seq: number;
  readonly max_retries: number;
  readonly last_error: string | null;
}

export interface AttemptFound {
  readonly id: string;
  readonly number: number;
  readonly result: string | null;
  /** What it printed; undefined when that is missing. */
  readonly output: string | undefined;
}

/** How many jobs are counted to be in a state. */
export interface Kept {
  readonly state: string;
  readonly jobs: number;
}

export function foundInSqlite(home: string): Found {
  using db = new Database(join(home, "queue.db"), { readonly: true });
  const jobs = db.query<JobFound, []>("select * from jobs").all();
  const attempts = db
    .query<AttemptFound & { job_seq: number }, []>(
      "select attempts.*, id from attempts join jobs on seq = job_seq",
    )
    .all();
  const [whole] = db.query<{ integrity_check: string }, []>("pragma integrity_check").all();
  return {
    jobs,
    attempts: attempts.map((attempt) => {
      const path = jobLogPath(home, attempt.job_seq, attempt.number);
      return { ...attempt, output: existsSync(path) ? readFileSync(path, "utf8") : undefined };
    }),
    kept: db.query<Kept, []>("select state, sum(jobs) as jobs from counts group by state").all(),
    damage: whole?.integrity_check === "ok" ? [] : [`integrity_check: ${whole?.integrity_check}`],
  };
}

export async function foundInPostgres(url: string): Promise<Found> {
  const sql = new SQL(url, { max: 1 });
  const jobs = await sql`
    select id, seq::float8, state, attempts, attempt_number, lease_seq::float8, max_retries, last_error from queuectl.jobs
  `;
  const attempts = await sql`
    select jobs.id, number, result, (
      select convert_from(string_agg(bytes, '' order by start), 'UTF8') from queuectl.output
      where output.job_seq = attempts.job_seq and output.attempt = attempts.number
    ) as output
    from queuectl.attempts join queuectl.jobs on seq = job_seq
  `;
  const kept = await sql`select state, sum(jobs)::integer as jobs from queuectl.all_counts group by state`;
  await sql.close();
  return { jobs, attempts, kept, damage: [] };
}
