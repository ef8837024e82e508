// One process with N workers. Its loop is one exchange with the store after another: what ended is settled, idle workers get
// jobs, and in between it sleeps until a command ends, another process changes something, or a waiting job falls due.

import { Refusal } from "../domain/errors.ts";
import { idFromBytes, workerIdBytes } from "../domain/id.ts";
import { isSettled } from "../domain/job.ts";
import type { ClaimedJob, Settlement } from "../domain/lease.ts";
import { effectiveSettings, type Settings } from "../domain/settings.ts";
import type { StopOrder } from "../domain/worker.ts";
import { jobLogPath } from "../home.ts";
import { jobEnvironment } from "../runner/environment.ts";
import { ownIdentity } from "../runner/process-identity.ts";
import { type RunningAttempt, startAttempt } from "../runner/run.ts";
import type { StartedAttempt, Store, TurnResult } from "../store/store.ts";
import { every } from "./duty.ts";
import type { WorkerEvent } from "./events.ts";
import { pruneOnce } from "./pruner.ts";
import { rescueOnce } from "./rescuer.ts";
import { makeWakeup } from "./wakeup.ts";

export interface PoolOptions {
  readonly store: Store;
  readonly home: string;
  readonly version: string;
  /** As the user gave it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly worker_ids: readonly string[];
  /** Null for every queue. */
  readonly queues: readonly string[] | null;
  /** When to go without being told: when the queues hold nothing that waits or runs, or when this one job is settled. */
  readonly until: "stopped" | "empty" | { readonly seq: number; readonly id: string };
  /** Seconds; the setting by default. */
  readonly poll: number | undefined;
  readonly tell: (event: WorkerEvent) => void;
}

export interface Pool {
  /** Fulfilled when all workers are gone and every result is stored. */
  readonly done: Promise<void>;
  /** `finish`: take no more jobs, and go when those at hand ended. `release`: end these and give them back. */
  stop(order: StopOrder): void;
  /** Look at the store now: something was changed through it. */
  look(): void;
  /** KILL to whatever still runs, without waiting for the grace of an order given before. */
  kill(): void;
}

export const newWorkerId = () =>
  `worker-${idFromBytes(crypto.getRandomValues(new Uint8Array(workerIdBytes)))}`;

const heartbeatMs = 10_000;
const rescueMs = 2_000;
const pruneMs = 60_000;
/** How long to leave a database alone that has just refused. */
const troublePauseMs = 1_000;
/** Processes just started are told to the store this soon, but not at the price of a sync for each short command. */
const tellStartedMs = 50;

interface Run {
  readonly claimed: ClaimedJob;
  readonly attempt: RunningAttempt;
}

interface EndedRun {
  readonly settlement: Settlement;
  readonly run: Run;
}

export function startPool(options: PoolOptions): Pool {
  const { store, home, environment, queues, until, tell } = options;
  const wakeup = makeWakeup();
  const only = typeof until === "object" ? { only: until.seq } : {};
  const present = new Set(options.worker_ids);
  const leaving = new Set<string>();
  const running = new Map<number, Run>();
  let started: StartedAttempt[] = [];
  let ended: EndedRun[] = [];
  let settings: Settings;
  let stopping: StopOrder | undefined;
  let changed = false;
  let troubled = false;
  let announced: number | null | undefined;

  return { done: work(), stop, look, kill };

  async function work(): Promise<void> {
    settings = await readSettings();
    const process_id = await store.workers.register({
      identity: ownIdentity(),
      version: options.version,
      queues,
      worker_ids: options.worker_ids,
    });
    for (const worker_id of options.worker_ids) tell({ kind: "started", worker_id, queues });

    using _watch = store.watch(look);
    await using _heartbeat = every(heartbeatMs, () => store.workers.heartbeat(process_id));
    await using _rescuer = every(rescueMs, () => rescueOnce({ store, settings: () => settings, tell }));
    await using _pruner = every(pruneMs, () => pruneOnce(store, home, settings));

    for (;;) {
      const result = await turn(process_id);
      if (result && ended.length > 0) continue;
      if (await isFinished()) break;
      await (result ? rest(result.next_due_at) : Bun.sleep(troublePauseMs));
    }
    await store.workers.forget(process_id);
    for (const worker_id of present) tell({ kind: "stopped", worker_id });
  }

  /** One exchange with the store; undefined when it refused, in which case nothing is forgotten. */
  async function turn(process_id: number): Promise<TurnResult | undefined> {
    const batch = { started, ended };
    started = [];
    ended = [];
    try {
      if (changed) await lookAround(process_id);
      const idle = stopping ? [] : idleWorkers();
      const result = await store.leases.exchange({
        started: batch.started,
        ended: batch.ended.map(({ settlement }) => settlement),
        settings,
        wanted: idle.length === 0 ? null : { worker_ids: idle, queues, ...only },
      });
      if (troubled) tell({ kind: "trouble_over" });
      troubled = false;
      tellOfEnded(batch.ended, result);
      for (const claimed of result.claimed) start(claimed);
      await letGo();
      return result;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      started = [...batch.started, ...started];
      ended = [...batch.ended, ...ended];
      changed = true;
      if (!troubled) tell({ kind: "trouble", message: error.message });
      troubled = true;
      return undefined;
    }
  }

  function busyWorkers(): Set<string> {
    const runs = [...running.values(), ...ended.map(({ run }) => run)];
    return new Set(runs.map(({ claimed }) => claimed.worker_id));
  }

  function idleWorkers(): string[] {
    const busy = busyWorkers();
    return [...present].filter((id) => !busy.has(id) && !leaving.has(id));
  }

  /** Another process changed something: settings, orders to stop, or jobs to be cancelled. */
  async function lookAround(process_id: number): Promise<void> {
    settings = await readSettings();
    const orders = await store.leases.orders(process_id);
    changed = false;
    for (const { job_seq, lease_seq } of orders.cancel) {
      const run = running.get(job_seq);
      if (run?.claimed.lease.lease_seq === lease_seq) run.attempt.end("cancelled");
    }
    for (const [worker_id, order] of orders.stop) {
      leaving.add(worker_id);
      if (order === "release") endRuns("released", (run) => run.claimed.worker_id === worker_id);
    }
  }

  /** Workers that were asked to stop leave when what they ran is settled; the last ones when the process does. */
  async function letGo(): Promise<void> {
    const busy = busyWorkers();
    const gone = [...leaving].filter((id) => present.has(id) && !busy.has(id));
    if (gone.length === 0 || gone.length === present.size) return;
    await store.workers.leave(gone);
    for (const worker_id of gone) {
      present.delete(worker_id);
      tell({ kind: "stopped", worker_id });
    }
  }

  function start(claimed: ClaimedJob): void {
    const { job, attempt: number, worker_id } = claimed;
    tell({ kind: "executing", worker_id, job });
    const attempt = startAttempt({
      command: job.command,
      cwd: job.cwd,
      env: jobEnvironment({ base: environment, home, job, attempt: number }),
      timeout: job.timeout,
      logPath: jobLogPath(home, job.seq, number),
      limits: () => settings,
    });
    const run = { claimed, attempt };
    running.set(job.seq, run);
    if (attempt.process) started.push({ lease: claimed.lease, ...attempt.process });
    if (stopping === "release") attempt.end("released");
    void attempt.ended.then((ending) => {
      running.delete(job.seq);
      started = started.filter(({ lease }) => lease !== claimed.lease);
      ended.push({ settlement: { lease: claimed.lease, ending }, run });
      wakeup.wake();
    });
  }

  function tellOfEnded(batch: readonly EndedRun[], { settled }: TurnResult): void {
    const jobs = new Map(settled.map((job) => [job.seq, job]));
    for (const { settlement, run } of batch) {
      const { worker_id } = run.claimed;
      const job = jobs.get(settlement.lease.job_seq);
      if (job) tell({ kind: "settled", worker_id, job, ending: settlement.ending });
      else tell({ kind: "stale", worker_id, job: run.claimed.job });
    }
  }

  async function rest(nextDueAt: number | null): Promise<void> {
    announceWaiting(nextDueAt);
    const pollMs = (options.poll ?? settings.poll_interval) * 1000;
    const dueMs = nextDueAt === null ? pollMs : Math.max(0, nextDueAt - (await store.now()));
    const tellMs = started.length > 0 ? tellStartedMs : pollMs;
    const before = performance.now();
    await wakeup.wait(Math.min(pollMs, dueMs, tellMs));
    if (performance.now() - before >= pollMs) changed = true;
  }

  function announceWaiting(until: number | null): void {
    if (running.size > 0 || stopping || until === announced) return;
    tell({ kind: "waiting", until });
    announced = until;
  }

  function look(): void {
    changed = true;
    wakeup.wake();
  }

  function stop(order: StopOrder): void {
    const jobs = [...running.values()].map(({ claimed }) => claimed.job);
    if (stopping !== order && jobs.length > 0) tell({ kind: "stopping", order, jobs });
    stopping = order;
    if (order === "release") endRuns("released", () => true);
    wakeup.wake();
  }

  function endRuns(reason: "released" | "cancelled", which: (run: Run) => boolean): void {
    for (const run of running.values()) if (which(run)) run.attempt.end(reason);
  }

  function kill(): void {
    for (const run of running.values()) run.attempt.kill();
  }

  async function isFinished(): Promise<boolean> {
    if (running.size > 0 || ended.length > 0) return false;
    if (stopping || [...present].every((id) => leaving.has(id))) return true;
    if (until === "stopped") return false;
    try {
      if (until === "empty") return (await store.stats.outstanding(queues)) === 0;
      return isSettled((await store.jobs.find(until.id)).state);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.kind === "not_found";
    }
  }

  async function readSettings(): Promise<Settings> {
    return effectiveSettings(await store.settings.all(), environment);
  }
}
