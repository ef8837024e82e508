// A job like any other, and how its run ended.

import type { Ending } from "../src/domain/attempt.ts";
import type { NewJob } from "../src/domain/job.ts";

export const plainJob: NewJob = {
  id: undefined,
  command: "true",
  max_retries: 3,
  priority: 1,
  timeout: 0,
  queue: "default",
  tags: [],
  cwd: "/",
  env: {},
  rules: {},
  key: null,
  held: false,
  after: [],
  run_at: undefined,
};

export const ended: Ending = {
  result: "exited",
  exit_code: 0,
  signal: null,
  error: null,
  note: null,
  duration: 0.001,
  cpu_time: null,
  peak_memory: null,
  log_bytes: 0,
  log_truncated: false,
};
