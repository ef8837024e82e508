// Rows as Bun's client gives them, with the numbers that it leaves as texts because a bigint may be too large for one.

import type { AttemptRow, JobRow } from "../rows.ts";

// biome-ignore lint/suspicious/noExplicitAny: what a row holds is said by the statement that reads it
export type Row = any;

export const numberOrNull = (value: string | number | null) => (value === null ? null : Number(value));

export const jobRow = (row: Row): JobRow => ({
  ...row,
  seq: Number(row.seq),
  run_at: Number(row.run_at),
  next_run_at: numberOrNull(row.next_run_at),
  created_at: Number(row.created_at),
  updated_at: Number(row.updated_at),
  started_at: numberOrNull(row.started_at),
  finished_at: numberOrNull(row.finished_at),
  lease_seq: Number(row.lease_seq),
  snooze: numberOrNull(row.snooze),
  cancel_requested_at: numberOrNull(row.cancel_requested_at),
});

export const attemptRow = (row: Row): AttemptRow => ({
  ...row,
  started_at: Number(row.started_at),
  finished_at: numberOrNull(row.finished_at),
  peak_memory: numberOrNull(row.peak_memory),
  log_bytes: Number(row.log_bytes),
  log_left_out: numberOrNull(row.log_left_out),
});
