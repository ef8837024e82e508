// A waiting job made another one in its place, in PostgreSQL.

import type { SQL } from "bun";
import type { EditOf } from "../../domain/edit.ts";
import type { Job } from "../../domain/job.ts";
import { editedRow } from "../edited.ts";
import { type JobRow, jobFrom } from "../rows.ts";
import { moved } from "./change-steps.ts";
import type { Connection } from "./connection.ts";

export async function rewrite(connection: Connection, tx: SQL, row: JobRow, editOf: EditOf): Promise<Job> {
  const edit = editOf(jobFrom(row));
  if (Object.keys(edit).length === 0) return jobFrom(row);
  const { columns, isFree, due } = editedRow(row, edit);
  const { seq } = row;
  if (edit.tags) {
    await tx`
      delete from queuectl.job_tags where tag = any(${tx.array([...jobFrom(row).tags], "TEXT")}) and seq = ${seq}
    `;
    await tx`
      insert into queuectl.job_tags (tag, seq)
      select tag, ${seq} from unnest(${tx.array([...new Set(edit.tags)], "TEXT")}) as tag
    `;
  }
  const { command, queue, priority, max_retries, timeout, tags, cwd, env, rules, key, run_at } = columns;
  const updated = await tx`
    update queuectl.jobs set
      command = ${command}, queue = ${queue}, priority = ${priority}, max_retries = ${max_retries}, timeout = ${timeout},
      tags = ${tags}, cwd = ${cwd}, env = ${env}, rules = ${rules}, key = ${key}, run_at = ${run_at}, parked = false,
      ready = ${isFree} and ${due}::bigint <= now, next_run_at = case when ${isFree} then ${due}::bigint end, updated_at = now
    from coalesce(${connection.at()}::bigint, queuectl.now_ms()) as now where seq = ${seq} returning jobs.*
  `;
  const [job] = await moved(tx, [row], updated);
  return job!;
}
