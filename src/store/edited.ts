// What an edit makes of a waiting job's row, shared by both stores.

import type { JobEdit } from "../domain/edit.ts";
import type { JobRow } from "./rows.ts";

export interface EditedRow {
  readonly columns: Pick<JobRow, keyof JobEdit>;
  /** Whether nothing holds it back. Whether another one runs under its key the next claim looks: neither need be as it was. */
  readonly isFree: boolean;
  /** When it may run then; what is past counts as now. */
  readonly due: number;
}

export function editedRow(row: JobRow, { tags, env, rules, ...edit }: JobEdit): EditedRow {
  const { command, queue, priority, max_retries, timeout, cwd, key, run_at } = {
    ...row,
    ...edit,
    run_at: edit.run_at ?? row.run_at,
  };
  return {
    columns: {
      command,
      queue,
      priority,
      max_retries,
      timeout,
      tags: tags ? JSON.stringify(tags) : row.tags,
      cwd,
      env: env ? JSON.stringify(env) : row.env,
      rules: rules ? JSON.stringify(rules) : row.rules,
      key,
      run_at,
    },
    isFree: !row.held && row.unmet === 0,
    due: edit.run_at ?? row.next_run_at ?? row.run_at,
  };
}
