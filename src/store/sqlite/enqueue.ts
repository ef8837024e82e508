// Jobs are stored in SQLite, one of them by what is here. What only some need, or many at once, is loaded for those.

import { SQLiteError } from "bun:sqlite";
import type { Job, NewJob } from "../../domain/job.ts";
import type { Enqueueing } from "../jobs.ts";
import { type JobRow, jobFrom, newJobId } from "../rows.ts";
import type { Connection } from "./connection.ts";
import { saveCount } from "./one-count.ts";

const dependencies = () => require("./dependencies.ts") as typeof import("./dependencies.ts");
const unique = () => require("./unique.ts") as typeof import("./unique.ts");
const refusals = () => require("../refusals.ts") as typeof import("../refusals.ts");

export const enqueueing = (connection: Connection): Enqueueing => ({
  enqueue: async (job) => (await connection.write(() => enqueueOnce(connection, job))).job,
  enqueueOnce: (job, idBegins) =>
    connection.write(() => {
      if (idBegins !== undefined) unique().refuseAnother(connection, idBegins);
      return enqueueOnce(connection, job);
    }),
  enqueueAll: async (source) => (await import("./bulk-enqueue.ts")).bulkEnqueue(connection, source),
});

/** Within a transaction. */
export function enqueueOnce(connection: Connection, job: NewJob): { job: Job; isNew: boolean } {
  const now = connection.clock();
  const same = job.unique && unique().sameJob(connection, job.unique, now);
  if (same) return { job: jobFrom(same), isNew: false };
  const row = insert(connection, job, now);
  saveCount(connection, { queue: row.queue, state: "pending", jobs: 1, ms: 0 });
  const stored = job.after.length === 0 ? row : dependencies().comeAfter(connection, row, job.after, now);
  return { job: jobFrom(stored), isNew: true };
}

/** Inserts one job; draws another id as long as a generated one is taken. */
export function insert({ sql }: Connection, job: NewJob, now: number): JobRow {
  const run_at = job.run_at ?? now;
  for (;;) {
    const id = job.id ?? newJobId();
    try {
      const row: JobRow = sql(`
        insert into jobs (
          id, command, state, ready, max_retries, priority, timeout, queue, tags, cwd, env, rules, held, key,
          unique_key, run_at, next_run_at, created_at, updated_at
        ) values (
          $id, $command, 'pending', $run_at <= $now and not $held, $max_retries, $priority, $timeout, $queue, $tags, $cwd, $env,
          $rules, $held, $key, $unique_key, $run_at, iif($held, null, $run_at), $now, $now
        ) returning *
      `).get({
        id,
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
        unique_key: job.unique?.key ?? null,
        run_at,
        now,
      });
      for (const tag of new Set(job.tags)) {
        sql("insert into job_tags (tag, seq) values ($tag, $seq)").run({ tag, seq: row.seq });
      }
      return row;
    } catch (error) {
      const taken = error instanceof SQLiteError && error.code === "SQLITE_CONSTRAINT_UNIQUE";
      if (!taken) throw error;
      if (job.id !== undefined) throw refusals().idTaken(job.id);
    }
  }
}
