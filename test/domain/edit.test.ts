// What may be changed of a job while it waits.

import { expect, test } from "bun:test";
import { checkEdit, type JobEdit } from "../../src/domain/edit.ts";
import { Refusal } from "../../src/domain/errors.ts";
import type { Job } from "../../src/domain/job.ts";
import { newJob } from "../support/sample-jobs.ts";

const { run_at: _, ...made } = newJob({ tags: ["x"], env: { A: "1" }, rules: { secret_env: ["TOKEN"] } });

const job: Job = {
  ...made,
  id: "a",
  seq: 1,
  state: "pending",
  attempts: 0,
  unmet: 0,
  run_at: 0,
  next_run_at: 0,
  created_at: 0,
  updated_at: 0,
  started_at: null,
  finished_at: null,
  last_exit_code: null,
  last_error: null,
  last_duration: null,
  worker_id: null,
};

test("an edit is what becomes other than it is, each tag once", () => {
  expect(checkEdit(job, { command: "true", priority: 5, env: { A: "1" }, run_at: undefined })).toStrictEqual({
    priority: 5,
  });
  expect(checkEdit(job, { tags: ["x", "x"] })).toEqual({});
  expect(checkEdit(job, { tags: ["y", "x", "y"] })).toEqual({ tags: ["y", "x"] });
  expect(checkEdit(job, {})).toEqual({});
});

test("an edit that would break a rule is refused, also one that the job's other keys make wrong", () => {
  for (const edit of [{ priority: 6 }, { cwd: "here" }, { env: { TOKEN: "hunter2" } }] satisfies JobEdit[])
    expect(() => checkEdit(job, edit)).toThrow(Refusal);
});
