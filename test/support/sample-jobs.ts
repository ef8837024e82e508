// Jobs, claims and endings of which a test says only what it is about.

import type { Ending } from "../../src/domain/attempt.ts";
import { Refusal } from "../../src/domain/errors.ts";
import type { Job, JobState, NewJob } from "../../src/domain/job.ts";
import type { ClaimedJob, Lease } from "../../src/domain/lease.ts";
import type { OutcomeSettings } from "../../src/domain/outcome.ts";
import type { ProcessIdentity } from "../../src/domain/worker.ts";
import type { TurnResult, Wanted } from "../../src/store/leases.ts";
import type { Store } from "../../src/store/store.ts";

export const newJob = (wanted: Partial<NewJob> = {}): NewJob => ({
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
  ...wanted,
});

/** What a stored job keeps as it was given. */
export const kept = ({ after: _after, ...job }: NewJob) => job;

export const identity: ProcessIdentity = {
  host: "here",
  boot_id: "boot",
  pid_namespace: "ns",
  pid: 4711,
  pid_start: "1234",
};

export const settings: OutcomeSettings = {
  backoff_base: 2,
  backoff_max: 3600,
  backoff_jitter: 0,
  max_lost: 3,
};

export const exitWith = (exit_code: number, more: Partial<Ending> = {}): Ending => ({
  result: "exited",
  exit_code,
  signal: null,
  error: exit_code === 0 ? null : `exit status ${exit_code}`,
  note: null,
  duration: 1,
  cpu_time: null,
  peak_memory: null,
  log_bytes: 0,
  log_truncated: false,
  log_left_out: 0,
  ...more,
});

/** An ending without an exit status. */
export const endedAs = (result: Ending["result"], more: Partial<Ending> = {}): Ending =>
  exitWith(0, { result, exit_code: null, error: result, ...more });

/** Enters a process with these workers. */
export const register = (store: Store, ...worker_ids: string[]) =>
  store.workers.register({
    identity,
    home: "/home",
    version: "1",
    queues: null,
    worker_ids,
    journal: "/journal",
  });

/** One turn of a process that only wants jobs. */
export const claimTurn = (store: Store, wanted: Partial<Wanted> = {}): Promise<TurnResult> =>
  store.leases.exchange({
    started: [],
    ended: [],
    settings,
    wanted: { worker_ids: ["worker-a"], queues: null, ...wanted },
  });

export const claim = async (store: Store, wanted: Partial<Wanted> = {}): Promise<readonly ClaimedJob[]> =>
  (await claimTurn(store, wanted)).claimed;

/** One turn of a process that only settles one job. */
export const settle = (
  store: Store,
  lease: Lease,
  ending: Ending,
  by: Partial<OutcomeSettings> = {},
): Promise<TurnResult> =>
  store.leases.exchange({
    started: [],
    ended: [{ lease, ending }],
    settings: { ...settings, ...by },
    wanted: null,
  });

let workers = 0;

/** A job that a worker of its own has just claimed. */
export async function runningJob(store: Store, wanted: Partial<NewJob> = {}): Promise<ClaimedJob> {
  const { seq } = await store.jobs.enqueue(newJob(wanted));
  return await runAgain(store, seq);
}

/** The same job in the hands of yet another worker. */
export async function runAgain(store: Store, seq: number): Promise<ClaimedJob> {
  const worker_id = `worker-again-${++workers}`;
  await register(store, worker_id);
  const [claimed] = await claim(store, { worker_ids: [worker_id], only: seq });
  if (!claimed) throw new Error(`job ${seq} could not be claimed`);
  return claimed;
}

/** A new job that has come to a state on an ordinary way. */
export async function jobIn(store: Store, state: JobState, wanted: Partial<NewJob> = {}): Promise<Job> {
  if (state === "pending") return await store.jobs.enqueue(newJob(wanted));
  if (state === "cancelled") {
    const { seq } = await store.jobs.enqueue(newJob(wanted));
    return (await store.jobs.cancel([seq]))[0]!;
  }
  const { job, lease } = await runningJob(store, state === "dead" ? { max_retries: 0, ...wanted } : wanted);
  if (state === "processing") return job;
  const { settled } = await settle(store, lease, exitWith(state === "completed" ? 0 : 1));
  return settled[0]!;
}

export async function allJobs(store: Store): Promise<readonly Job[]> {
  return (await store.jobs.list({}, { limit: 0 })).jobs;
}

export async function* asyncly<T>(values: Iterable<T>): AsyncIterable<T> {
  yield* values;
}

/** What the store refused; fails when it did not. */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
