// A waiting job made another one in its place, in SQLite.

import type { EditOf } from "../../domain/edit.ts";
import { editedRow } from "../edited.ts";
import { type JobRow, jobFrom } from "../rows.ts";
import type { Connection } from "./connection.ts";

export function rewrite({ sql }: Connection, row: JobRow, editOf: EditOf, now: number): JobRow {
  const edit = editOf(jobFrom(row));
  if (Object.keys(edit).length === 0) return row;
  const { columns, isFree, due } = editedRow(row, edit);
  const { seq } = row;
  if (edit.tags) {
    for (const tag of new Set(jobFrom(row).tags))
      sql("delete from job_tags where tag = $tag and seq = $seq").run({ tag, seq });
    for (const tag of new Set(edit.tags))
      sql("insert into job_tags (tag, seq) values ($tag, $seq)").run({ tag, seq });
  }
  return sql(`
    update jobs set
      command = $command, queue = $queue, priority = $priority, max_retries = $max_retries, timeout = $timeout, tags = $tags,
      cwd = $cwd, env = $env, rules = $rules, key = $key, run_at = $run_at, parked = 0,
      ready = $free and $due <= $now, next_run_at = iif($free, $due, null), updated_at = $now
    where seq = $seq returning *
  `).get({ ...columns, free: Number(isFree), due, seq, now });
}
