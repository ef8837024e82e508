// One process with N workers. Its loop is one exchange with the store after another: what ended is settled, idle workers get
// jobs, and in between it sleeps until a command ends, another process changes something, or a waiting job falls due.

import { setImmediate } from "node:timers/promises";
import { Refusal } from "../domain/errors.ts";
import { isSettled, type Job } from "../domain/job.ts";
import type { ClaimedJob, Settlement } from "../domain/lease.ts";
import { effectiveSettings, type Settings } from "../domain/settings.ts";
import type { StopOrder } from "../domain/worker.ts";
import { journalPath } from "../home.ts";
import { openCgroups } from "../runner/cgroup.ts";
import { openJournal } from "../runner/journal.ts";
import { markOf } from "../runner/mark.ts";
import { ownIdentity, startOf } from "../runner/process-identity.ts";
import { endEarlier, startAttempt } from "../runner/run.ts";
import type { RunningAttempt } from "../runner/supervise.ts";
import { newWorkerId } from "../store/rows.ts";
import type { StartedAttempt, Store, TurnResult } from "../store/store.ts";
import { attemptPlan } from "./attempt-plan.ts";
import { watchClock } from "./clock.ts";
import { openCourier } from "./courier.ts";
import { every } from "./duty.ts";
import { refuseElsewhere } from "./elsewhere.ts";
import type { WorkerEvent } from "./events.ts";
import { watchHindrance } from "./hindrance.ts";
import { pruneSpool } from "./job-logs.ts";
import { steadyNow, watchLease } from "./lease.ts";
import { pruneJournals, pruneOnce } from "./pruner.ts";
import { rescueOnce } from "./rescuer.ts";
import { keepSchedules, type Scheduler } from "./scheduler.ts";
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

const heartbeatMs = 10_000;
const rescueMs = 2_000;
const pruneMs = 60_000;
/** How soon others see what a command prints; `run` has somebody who watches it. */
const sendMs = 1_000;
const sendAtOnceMs = 200;
/** How long to leave a database alone that has refused so many times in a row: longer and longer, and not all machines at once. */
const troublePauseMs = (times: number) => Math.min(500 * 2 ** times, 5_000) * (0.5 + Math.random() / 2);
/** How long to leave a log alone that could not be opened. */
const hindrancePauseMs = 1_000;
/** A retry may come this much late when the clock was set back. */
const clockMs = 1_000;
/** Processes just started are told to the store this soon, but not at the price of a sync for each short command. */
const tellStartedMs = 50;

interface Run {
  readonly claimed: ClaimedJob;
  readonly attempt: RunningAttempt;
  /** By the clock that nobody sets. */
  readonly startedAt: number;
}

interface EndedRun {
  readonly settlement: Settlement;
  readonly run: Run;
}

const startedAttempt = ({ claimed: { lease }, attempt: { pid } }: Run): StartedAttempt => ({
  lease,
  pid: pid!,
  pid_start: startOf(pid!) ?? "",
});

export function startPool(options: PoolOptions): Pool {
  const { store, home, environment, queues, until, tell } = options;
  const wakeup = makeWakeup();
  const only = typeof until === "object" ? { only: until.seq } : {};
  const hindrance = watchHindrance(hindrancePauseMs, tell);
  const present = new Set(options.worker_ids);
  const leaving = new Set<string>();
  const running = new Map<number, Run>();
  /** Those that the store does not know of yet, the oldest first. */
  let started: Run[] = [];
  /** Those that ended and of whose output much is still to be sent. */
  const sending = new Set<Run>();
  let ended: EndedRun[] = [];
  let settings: Settings;
  let process_id: number;
  /** Whether the store does not know this process any more, or is about to forget it. */
  let expelled = false;
  let stopping: StopOrder | undefined;
  let changed = false;
  /** What the store refused with, as long as it does. */
  let trouble: Refusal | undefined;
  let refusals = 0;
  let announced: number | null | undefined;
  let scheduler: Scheduler | undefined;
  const journal = openJournal(journalPath(home, options.worker_ids[0]!));
  const cgroups = openCgroups();
  const courier = openCourier({ store, home, limit: () => settings.log_limit });
  const lease =
    store.leaseMs === null
      ? undefined
      : watchLease(store.leaseMs, {
          onEnd() {
            tell({ kind: "lease_ends", jobs: jobsAtHand() });
            endRuns("released", () => true);
          },
          onKill: kill,
        });

  return { done: work(), stop, look, kill };

  async function work(): Promise<void> {
    settings = await readSettings();
    if (store.leaseMs === null) await refuseElsewhere(store);
    await store.leases.mendRetries();
    await enter();
    await serve();
    // Workers that leave commands running stay entered with them: that is how the next one finds them.
    await store.workers.leave([...present].filter((id) => !busyWorkers().has(id)));
    if (running.size === 0) journal.remove();
    cgroups[Symbol.dispose]();
    for (const worker_id of present) tell({ kind: "stopped", worker_id });
  }

  /** Enters this process and its workers in the store. */
  async function enter(): Promise<void> {
    const askedAt = steadyNow();
    process_id = await store.workers.register({
      identity: ownIdentity(),
      home,
      version: options.version,
      queues,
      worker_ids: [...present],
      journal: journal.path,
    });
    lease?.renewed(askedAt);
    expelled = false;
    for (const worker_id of present) tell({ kind: "started", worker_id, queues });
  }

  /** Works until there is nothing more to do here; its duties end with it. */
  async function serve(): Promise<void> {
    using watch = store.watch(look, until === "stopped" ? "work" : "everything");
    using _lease = lease;
    await using _heartbeat = every(store.leaseMs === null ? heartbeatMs : store.leaseMs / 6, beat);
    await using _clock = every(clockMs, watchClock(mendRetries));
    await using _rescuer = every(rescueMs, rescue);
    await using _courier = every(typeof until === "object" ? sendAtOnceMs : sendMs, courier.send);
    await using _pruner = every(pruneMs, prune);
    await using _scheduler =
      until === "stopped" ? keepSchedules({ store, tell, onFired: wakeup.wake }) : undefined;
    scheduler = _scheduler;

    for (;;) {
      // The first of several exits wakes the loop before the others are heard; one exchange shall serve them all.
      await setImmediate();
      const result = await turn();
      if (result && ended.length > 0) continue;
      if (await isFinished()) break;
      // Only an idle worker can do something with a job that comes; orders to stop or to cancel can wait for a moment.
      watch.hurry(!stopping && idleWorkers().length > 0);
      await (result ? rest(result.next_due_at) : wakeup.wait(troublePauseMs(refusals)));
    }
  }

  async function beat(): Promise<void> {
    const askedAt = steadyNow();
    if (await store.workers.heartbeat(process_id)) lease?.renewed(askedAt);
    else expel();
    journal.trim(
      new Set(unsettled().map(({ claimed }) => markOf(home, claimed.job.seq, claimed.attempt).run)),
    );
  }

  async function mendRetries(setBackMs: number): Promise<void> {
    await store.leases.mendRetries(setBackMs);
    look();
  }

  /** Others have or may have the jobs that run here. */
  function expel(): void {
    if (expelled) return;
    expelled = true;
    tell({ kind: "expelled", jobs: jobsAtHand() });
    endRuns("released", () => true);
    wakeup.wake();
  }

  /** Under names of their own: those that they had may belong to whoever took their jobs. */
  async function enterAnew(): Promise<void> {
    const count = present.size - leaving.size;
    for (const worker_id of present) tell({ kind: "stopped", worker_id });
    present.clear();
    leaving.clear();
    for (let n = 0; n < count; n++) present.add(newWorkerId());
    await enter();
  }

  async function rescue(): Promise<void> {
    if (stopping || expelled || trouble) return;
    const rescued = rescueOnce({ store, home, process_id, settings: () => settings, ...only });
    for await (const { taken, attempt, from } of rescued) {
      tell({ kind: "taken_over", job: taken.job, from });
      present.add(taken.worker_id);
      leaving.add(taken.worker_id);
      courier.take(taken, "taken over");
      watchOver({ claimed: taken, attempt, startedAt: performance.now() });
      // Somebody may have asked for its end while nobody listened.
      look();
    }
  }

  async function prune(): Promise<void> {
    if (typeof until === "object" || trouble) return;
    await pruneOnce(store, home, settings);
    await pruneJournals(store, home);
    await pruneSpool(store, home);
  }

  /** One exchange with the store; undefined when it refused, in which case nothing is forgotten. */
  async function turn(): Promise<TurnResult | undefined> {
    const batch = { started: dueToTell(), ended };
    started = started.slice(batch.started.length);
    ended = [];
    try {
      courier.check();
      if (expelled && running.size === 0 && !stopping) await enterAnew();
      if (changed) await lookAround();
      const idle = stopping || expelled || hindrance.stands() ? [] : idleWorkers();
      const result = await store.leases.exchange({
        started: batch.started.map(startedAttempt),
        ended: await Promise.all(batch.ended.map(({ settlement }) => courier.complete(settlement))),
        settings,
        wanted: idle.length === 0 ? null : { worker_ids: idle, queues, ...only },
      });
      if (result.expelled) expel();
      if (trouble) tell({ kind: "trouble_over" });
      trouble = undefined;
      refusals = 0;
      tellOfEnded(batch.ended, result);
      // From here on the batch is stored, and must not be offered again.
      batch.started = [];
      batch.ended = [];
      await Promise.all(result.claimed.map(start));
      await letGo();
      return result;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      started = [...batch.started, ...started];
      ended = [...batch.ended, ...ended];
      changed = true;
      courier.doubt();
      if (trouble?.message !== error.message) tell({ kind: "trouble", message: error.message });
      trouble = error;
      refusals++;
      return undefined;
    }
  }

  /** Short commands have ended before it is worth a word. */
  function dueToTell(): Run[] {
    const before = performance.now() - tellStartedMs;
    return started.filter(({ startedAt }) => startedAt <= before);
  }

  function unsettled(): Run[] {
    return [...running.values(), ...sending, ...ended.map(({ run }) => run)];
  }

  function busyWorkers(): Set<string> {
    return new Set(unsettled().map(({ claimed }) => claimed.worker_id));
  }

  function idleWorkers(): string[] {
    const busy = busyWorkers();
    return [...present].filter((id) => !busy.has(id) && !leaving.has(id));
  }

  /** Another process changed something: settings, orders to stop, or jobs to be cancelled. */
  async function lookAround(): Promise<void> {
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
      if (order === "leave") stop("leave");
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

  async function start(claimed: ClaimedJob): Promise<void> {
    const { job, attempt: number, worker_id } = claimed;
    const plan = attemptPlan(claimed, { store, home, environment, settings: () => settings });
    if (number > 1) await endEarlier(plan);
    tell({ kind: "executing", worker_id, job });
    const attempt = startAttempt(plan, { journal, cgroups });
    courier.take(claimed, "started");
    const run = { claimed, attempt, startedAt: performance.now() };
    if (attempt.pid !== null) started.push(run);
    if (attempt.hindrance !== null) hindrance.met(attempt.hindrance, plan.logPath);
    watchOver(run);
    if (stopping === "release") attempt.end("released");
  }

  function watchOver(run: Run): void {
    const { lease } = run.claimed;
    running.set(lease.job_seq, run);
    void run.attempt.ended.then(async (ending) => {
      running.delete(lease.job_seq);
      started = started.filter((other) => other !== run);
      sending.add(run);
      await courier.nearlySent(lease, ending.log_bytes);
      sending.delete(run);
      ended.push({ settlement: { lease, ending, pid: run.attempt.pid }, run });
      wakeup.wake();
    });
  }

  function tellOfEnded(batch: readonly EndedRun[], { settled }: TurnResult): void {
    const jobs = new Map(settled.map((job) => [job.seq, job]));
    for (const { settlement, run } of batch) {
      const { worker_id } = run.claimed;
      const job = jobs.get(settlement.lease.job_seq);
      courier.done(settlement.lease, job !== undefined);
      if (job) tell({ kind: "settled", worker_id, job, ending: settlement.ending });
      else tell({ kind: "stale", worker_id, job: run.claimed.job });
    }
  }

  async function rest(nextDueAt: number | null): Promise<void> {
    announceWaiting(nextDueAt);
    const pollMs = (options.poll ?? settings.poll_interval) * 1000;
    const dueMs = nextDueAt === null ? pollMs : await msUntil(nextDueAt, pollMs);
    const tellMs = started[0]
      ? Math.max(0, started[0].startedAt + tellStartedMs - performance.now())
      : pollMs;
    const hinderedMs = hindrance.known() ? hindrancePauseMs : pollMs;
    const before = performance.now();
    await wakeup.wait(Math.min(pollMs, dueMs, tellMs, hinderedMs));
    if (performance.now() - before >= pollMs) changed = true;
  }

  /** By the store's clock; `otherwise` when that cannot be asked. */
  async function msUntil(moment: number, otherwise: number): Promise<number> {
    try {
      return Math.max(0, moment - (await store.now()));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return otherwise;
    }
  }

  function announceWaiting(until: number | null): void {
    if (hindrance.known() || running.size > 0 || stopping || until === announced) return;
    tell({ kind: "waiting", until });
    announced = until;
  }

  function look(): void {
    changed = true;
    scheduler?.look();
    wakeup.wake();
  }

  function stop(order: StopOrder): void {
    const jobs = jobsAtHand();
    if (stopping !== order && jobs.length > 0) tell({ kind: "stopping", order, jobs });
    stopping = order;
    if (order === "release") endRuns("released", () => true);
    if (order === "leave") for (const run of running.values()) run.attempt.abandon();
    wakeup.wake();
  }

  function jobsAtHand(): Job[] {
    return [...running.values()].map(({ claimed }) => claimed.job);
  }

  function endRuns(reason: "released" | "cancelled", which: (run: Run) => boolean): void {
    for (const run of running.values()) if (which(run)) run.attempt.end(reason);
  }

  function kill(): void {
    for (const run of running.values()) run.attempt.kill();
  }

  async function isFinished(): Promise<boolean> {
    if (stopping && running.size === 0 && trouble?.kind === "unusable") throw trouble;
    if (ended.length > 0 || sending.size > 0) return false;
    if (stopping === "leave") return true;
    if (running.size > 0) return false;
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
    return effectiveSettings({ ...store.defaults, ...(await store.settings.all()) }, environment);
  }
}
