// Jobs, attempts and workers as the JSON that programs read.

import { expect, test } from "bun:test";
import type { Attempt } from "../../src/domain/attempt.ts";
import type { Job } from "../../src/domain/job.ts";
import { attemptJson, jobJson, workerJson } from "../../src/domain/json.ts";
import type { Worker } from "../../src/domain/worker.ts";

const moment = Date.UTC(2026, 11, 24, 18, 0, 0, 5);
const written = "2026-12-24T18:00:00.005Z";

const job: Job = {
  seq: 42,
  id: "nightly",
  command: "echo hello",
  state: "failed",
  attempts: 1,
  max_retries: 3,
  priority: 5,
  run_at: moment,
  next_run_at: moment,
  timeout: 0,
  queue: "default",
  tags: ["a"],
  cwd: "/srv",
  env: { A: "1" },
  rules: {},
  key: null,
  held: false,
  unmet: 0,
  created_at: moment,
  updated_at: moment,
  started_at: moment,
  finished_at: moment,
  last_exit_code: 3,
  last_error: "exit status 3",
  last_duration: 0.5,
  worker_id: null,
};

const attempt: Attempt = {
  number: 7,
  result: "exited",
  worker_id: "worker-a1",
  host: "here",
  pid: 100,
  started_at: moment,
  finished_at: moment,
  duration: 0.5,
  exit_code: 3,
  signal: null,
  error: "exit status 3",
  note: null,
  cpu_time: null,
  peak_memory: null,
  log_bytes: 10,
  log_truncated: false,
  log_left_out: 0,
};

const worker: Worker = {
  id: "worker-a1",
  pid: 100,
  host: "here",
  state: "busy",
  job_id: "nightly",
  queues: null,
  version: "0.1.0",
  started_at: moment,
  heartbeat_at: moment,
};

test("a job has the keys that its users rely on, and no inner number", () => {
  expect(Object.keys(jobJson(job))).toEqual([
    "id",
    "command",
    "state",
    "attempts",
    "max_retries",
    "priority",
    "run_at",
    "next_run_at",
    "timeout",
    "queue",
    "tags",
    "cwd",
    "env",
    "key",
    "held",
    "unmet",
    "created_at",
    "updated_at",
    "started_at",
    "finished_at",
    "last_exit_code",
    "last_error",
    "last_duration",
    "worker_id",
  ]);
});

test("every moment of a job is ISO 8601 in UTC", () => {
  const json = jobJson(job);
  const moments = [
    json.run_at,
    json.next_run_at,
    json.created_at,
    json.updated_at,
    json.started_at,
    json.finished_at,
  ];
  expect(moments).toEqual(Array(6).fill(written));
});

test("moments that have not come are null", () => {
  const json = jobJson({ ...job, next_run_at: null, started_at: null, finished_at: null });
  expect([json.next_run_at, json.started_at, json.finished_at]).toEqual([null, null, null]);
});

test("the first moment of all is written, not taken for none", () => {
  expect(jobJson({ ...job, next_run_at: 0 }).next_run_at).toBe("1970-01-01T00:00:00.000Z");
});

test("what is no moment goes out as it is", () => {
  const { run_at, next_run_at, created_at, updated_at, started_at, finished_at, ...more } = job;
  const { seq, rules, unmet, ...rest } = more;
  expect(jobJson(job)).toMatchObject(rest);
});

test("an attempt says whether it was charged, and null while it runs", () => {
  expect(attemptJson(attempt)).toMatchObject({
    number: 7,
    charged: true,
    started_at: written,
    finished_at: written,
  });
  expect(attemptJson({ ...attempt, result: "lost" }).charged).toBe(false);
  const running = attemptJson({ ...attempt, result: null, finished_at: null });
  expect(running.charged).toBeNull();
  expect(running.finished_at).toBeNull();
});

test("a worker's moments are ISO 8601 in UTC", () => {
  expect(workerJson(worker)).toEqual({ ...worker, started_at: written, heartbeat_at: written });
});
