// One process with N workers. Its loop is one exchange with the store after another: what ended is settled, idle workers get
// jobs, and in between it sleeps until a command ends, another process changes something, or a waiting job falls due.

import { setImmediate } from "node:timers/promises";
import { ignoreRefusal, isSystemError, Refusal, unavailable } from "../domain/errors.ts";
import { isSettled, type Job } from "../domain/job.ts";
import type { ClaimedJob } from "../domain/lease.ts";
import { effectiveSettings, type Settings } from "../domain/settings.ts";
import type { StopOrder } from "../domain/worker.ts";
import { startAfterEarlier } from "../runner/after-earlier.ts";
import { openCgroups } from "../runner/cgroup.ts";
import { type FindEarlier, lookForEarlier } from "../runner/mark.ts";
import { giveBack, startAttempt } from "../runner/run.ts";
import type { TurnResult } from "../store/leases.ts";
import { newWorkerId } from "../store/rows.ts";
import type { Store } from "../store/store.ts";
import { type Alerting, keepAlerts } from "./alerts.ts";
import { attemptPlan } from "./attempt-plan.ts";
import { watchClock } from "./clock.ts";
import { openCourier } from "./courier.ts";
import { makeCrew } from "./crew.ts";
import { every } from "./duty.ts";
import { refuseElsewhere } from "./elsewhere.ts";
import type { WorkerEvent } from "./events.ts";
import { watchHindrance } from "./hindrance.ts";
import { makeLeaving } from "./leaving.ts";
import { enterStore, type Membership } from "./membership.ts";
import { pruneOnce } from "./pruner.ts";
import { rescueOnce } from "./rescuer.ts";
import { makeRest } from "./rest.ts";
import { type Batch, endings, makeRuns, startedAttempt } from "./runs.ts";
import { keepSchedules, type Scheduler } from "./scheduler.ts";
import { watchTrouble } from "./trouble.ts";
import { isReached, type OwnJob, type Until } from "./until.ts";
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
  /** When to go without being told. */
  readonly until: Until;
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
/** A retry may come this much late when the clock was set back. */
const clockMs = 1_000;
const nothing: Batch = { started: [], ended: [] };

export function startPool(options: PoolOptions): Pool {
  const { store, home, environment, queues, until, tell } = options;
  const wakeup = makeWakeup();
  const bringsJob = typeof until === "object";
  const hindrance = watchHindrance(tell);
  const trouble = watchTrouble(tell);
  const crew = makeCrew(options.worker_ids);
  const courier = openCourier({ store, home, limit: () => settings.log_limit });
  const runs = makeRuns({
    hasLapsed: () => membership.hasLapsed(),
    beforeSettling: ({ lease }) => courier.nearlySent(lease),
    onEnd: wakeup.wake,
  });
  const leaving = makeLeaving({ store, crew, runs, trouble, tell });
  /** The only job that it is here for, where it brings one. */
  let own: Job | undefined;
  let settings: Settings;
  let membership: Membership;
  let leaseMs: number | null;
  let changed = false;
  let lookedAt = 0;
  let isRescuing = false;
  let scheduler: Scheduler | undefined;
  let alerting: Alerting | undefined;
  const cgroups = openCgroups();
  const pollMs = () => (options.poll ?? settings.poll_interval) * 1000;
  const rest = makeRest({
    store,
    queues,
    wakeup,
    runs,
    hindrance,
    pollMs,
    isStopping: () => leaving.order() !== undefined,
    tell,
  });

  return { done: work(), stop, look, kill: runs.kill };

  async function work(): Promise<void> {
    settings = await readSettings();
    leaseMs = store.leaseMs === null ? null : Math.round(settings.lease * 1000);
    if (leaseMs === null) await refuseElsewhere(store);
    await store.leases.mendRetries();
    membership = await enterStore({
      store,
      home,
      version: options.version,
      queues,
      worker_ids: options.worker_ids,
      leaseMs,
      environment,
      onEnd() {
        const jobs = runs.jobs();
        if (jobs.length > 0) tell({ kind: "lease_ends", jobs });
        runs.end("released");
      },
      onKill: runs.kill,
      onExpelled() {
        tell({ kind: "expelled", jobs: runs.jobs() });
        runs.end("released");
        // Others may have started the same jobs already.
        runs.kill();
        wakeup.wake();
      },
    });
    announceStart();
    await serve();
    // Workers that leave commands running stay entered with them: that is how the next one finds them.
    const busy = runs.busyWorkers();
    const idle = crew.present().filter((id) => !busy.has(id));
    await membership.leave(idle, runs.running().length > 0);
    cgroups[Symbol.dispose]();
    announceStop();
  }

  function announceStop(): void {
    for (const worker_id of crew.present()) tell({ kind: "stopped", worker_id });
  }

  function announceStart(): void {
    for (const worker_id of crew.present()) tell({ kind: "started", worker_id, queues });
  }

  /** Works until there is nothing more to do here; its duties end with it. */
  async function serve(): Promise<void> {
    using watch = store.watch(look, until === "stopped" ? "work" : "everything");
    using _membership = membership;
    const first = bringsJob ? await storeOwn(until) : null;
    await using _heartbeat = every(leaseMs === null ? heartbeatMs : leaseMs / 6, beat);
    await using _clock = every(clockMs, watchClock(mendRetries));
    await using _rescuer = every(rescueMs, rescue);
    await using _courier = every(bringsJob ? sendAtOnceMs : sendMs, courier.send);
    await using _pruner = every(pruneMs, prune);
    await using _scheduler =
      until === "stopped" ? keepSchedules({ store, tell, onFired: wakeup.wake }) : undefined;
    scheduler = _scheduler;
    await using _alerting = keepAlerts({ store, home, environment, settings: () => settings, tell });
    alerting = _alerting;
    if (first) start(first, lookForEarlier());

    for (;;) {
      // The first of several exits wakes the loop before the others are heard; one exchange shall serve them all.
      await setImmediate();
      const result = await turn();
      if (result && (runs.ended().length > 0 || mayEnterAnew())) continue;
      if (await isFinished()) {
        // Nobody may come after who would.
        if (until !== "stopped" && !leaving.order()) await alerting.flush();
        break;
      }
      // Only an idle worker can do something with a job that comes; orders to stop or to cancel can wait for a moment.
      watch.hurry(!leaving.order() && crew.idle(runs.busyWorkers()).length > 0);
      await (result ? rest(result.next_due_at, watch) : wakeup.wait(trouble.pauseMs()));
    }
  }

  /** Stores the job that it brings, and has it before anybody else when it may start at once. */
  async function storeOwn({ job, onStored }: OwnJob): Promise<ClaimedJob | null> {
    const [worker_id] = crew.present();
    try {
      const stored = await store.leases.enqueueFor(worker_id!, job);
      own = stored.job;
      onStored(own);
      return stored.claimed;
    } catch (error) {
      // What kept the job from being stored may keep the worker from leaving too, and is the one that is told.
      await membership.leave(crew.present(), false).catch(ignoreRefusal);
      throw error;
    }
  }

  async function beat(): Promise<void> {
    await membership.beat();
    membership.journal().trim(runs.marks(home, store.output?.queue));
  }

  async function mendRetries(setBackMs: number): Promise<void> {
    await store.leases.mendRetries(setBackMs);
    look();
  }

  function mayEnterAnew(): boolean {
    return membership.isExpelled() && !leaving.order() && runs.areNone() && crew.staying() > 0;
  }

  async function enterAnew(): Promise<void> {
    const fresh = Array.from({ length: crew.staying() }, newWorkerId);
    await membership.enterAnew(fresh);
    announceStop();
    crew.replace(fresh);
    announceStart();
  }

  async function rescue(): Promise<void> {
    if (leaving.order() || membership.isExpelled() || trouble.current()) return;
    isRescuing = true;
    try {
      await takeOver();
    } finally {
      isRescuing = false;
      if (leaving.order() || until !== "stopped") wakeup.wake();
    }
  }

  async function takeOver(): Promise<void> {
    const process_id = membership.process_id();
    const rescued = rescueOnce({
      store,
      home,
      process_id,
      settings: () => settings,
      journal: membership.journal().path,
      ...(own && { only: own.seq }),
    });
    for await (const { taken, attempt, from } of rescued) {
      tell({ kind: "taken_over", job: taken.job, from });
      crew.join(taken.worker_id);
      courier.take(taken, "taken over");
      runs.add(taken, attempt, true);
      const order = leaving.order();
      if (order === "release") attempt.end("released");
      if (order === "leave") attempt.abandon();
      // Somebody may have asked for its end while nobody listened.
      look();
    }
  }

  async function prune(): Promise<void> {
    if (bringsJob || trouble.current()) return;
    await pruneOnce(store, home, settings);
  }

  /** One exchange with the store; undefined when it refused, in which case nothing is forgotten. */
  async function turn(): Promise<TurnResult | undefined> {
    let batch = nothing;
    try {
      courier.check();
      if (mayEnterAnew()) await enterAnew();
      batch = runs.takeBatch();
      // Hints are no more than that: they may be lost, or never come.
      if (changed || performance.now() - lookedAt >= pollMs()) await lookAround();
      const idle = mayClaim() ? crew.idle(runs.busyWorkers()) : [];
      const result = await store.leases.exchange({
        started: batch.started.map(startedAttempt),
        ended: await Promise.all(batch.ended.map(({ settlement }) => courier.complete(settlement))),
        settings,
        wanted:
          idle.length === 0
            ? null
            : {
                worker_ids: idle,
                queues,
                isFair: settings.sharing === "fair",
                ...(own && { only: own.seq }),
              },
      });
      if (result.expelled) membership.expel();
      trouble.over();
      leaving.heard();
      endings(batch.ended, result).forEach((event, place) => {
        courier.done(batch.ended[place]!.settlement.lease, event.kind === "settled");
        tell(event);
        if (event.kind === "settled" && isSettled(event.job.state)) alerting?.look();
      });
      for (const one of result.unreadable ?? []) tell({ kind: "settled", ...one });
      // From here on the batch is stored, and must not be offered again.
      batch = nothing;
      const findEarlier = lookForEarlier();
      for (const claimed of result.claimed) start(claimed, findEarlier);
      await leaving.letGo();
      return result;
    } catch (thrown) {
      const error = isSystemError(thrown) ? unavailable(thrown) : thrown;
      if (!(error instanceof Refusal)) throw error;
      runs.putBack(batch);
      changed = true;
      courier.doubt();
      trouble.met(error);
      leaving.refused();
      return undefined;
    }
  }

  function mayClaim(): boolean {
    return !leaving.order() && !membership.isExpelled() && !membership.hasLapsed() && !hindrance.stands();
  }

  /** Another process changed something: settings, orders to stop, or jobs to be cancelled. */
  async function lookAround(): Promise<void> {
    // Before the questions: what changes behind their backs is looked at once more.
    changed = false;
    lookedAt = performance.now();
    settings = await readSettings();
    const orders = await store.leases.orders(membership.process_id());
    for (const { job_seq, lease_seq } of orders.cancel) {
      const run = runs.of(job_seq);
      if (run?.claimed.lease.lease_seq === lease_seq) run.attempt.end("cancelled");
    }
    for (const [worker_id, order] of orders.stop) {
      crew.leave(worker_id);
      if (order === "release") runs.end("released", (run) => run.claimed.worker_id === worker_id);
      if (order === "leave") stop("leave");
    }
  }

  function start(claimed: ClaimedJob, findEarlier: FindEarlier): void {
    const { job, attempt: number, worker_id } = claimed;
    const plan = attemptPlan(claimed, { store, home, environment, settings: () => settings });
    tell({ kind: "executing", worker_id, job });
    const begin = () => {
      const why = whyNotToStart();
      return why === null ? startAttempt(plan, { journal: membership.journal(), cgroups }) : giveBack(why);
    };
    const attempt = number > 1 ? startAfterEarlier(plan, findEarlier, begin, wakeup.wake) : begin();
    courier.take(claimed, "started");
    if (attempt.hindrance !== null) hindrance.met(attempt.hindrance);
    runs.add(claimed, attempt);
  }

  /** An answer may have come late: after a long pause of this process, or of the network, or after the word to go. */
  function whyNotToStart(): string | null {
    if (membership.hasLapsed()) return "the database has not been heard of for too long";
    const order = leaving.order();
    return order === "release" || order === "leave" ? "its worker was told to go" : null;
  }

  function look(): void {
    changed = true;
    scheduler?.look();
    wakeup.wake();
  }

  function stop(order: StopOrder): void {
    leaving.obey(order);
    if (until !== "stopped") alerting?.stop();
    wakeup.wake();
  }

  async function isFinished(): Promise<boolean> {
    // What it takes over has to be settled here.
    if (isRescuing) return false;
    const refusal = leaving.inVain();
    if (refusal) throw refusal;
    if (runs.areSettling()) return false;
    if (leaving.order() === "leave") return true;
    if (runs.running().length > 0) return false;
    if (leaving.order() || crew.areAllLeaving()) return true;
    return isReached(until, store, { queues, own });
  }

  async function readSettings(): Promise<Settings> {
    return effectiveSettings({ ...store.defaults, ...(await store.settings.all()) }, environment);
  }
}
