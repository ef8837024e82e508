// What people are told of what happens in a worker process.

import { expect, test } from "bun:test";
import type { Job } from "../../src/domain/job.ts";
import { eventLine } from "../../src/worker/events.ts";
import { exitWith } from "../support/sample-jobs.ts";

test("a run that snoozed is told so, as it ended here and as it is recorded of one that ended elsewhere", () => {
  const job = { id: "a", state: "pending", next_run_at: 5000, updated_at: 0 } as Job;
  for (const ending of [exitWith(9), exitWith(9, { result: "snoozed", error: null })])
    expect(eventLine({ kind: "settled", worker_id: "w", attempt: 1, job, ending })).toBe(
      "job a asked to be run again in 5 s",
    );
});
