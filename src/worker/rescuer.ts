// Finds workers of this machine whose process is gone, and takes their jobs over: a command that still runs is watched on, one
// that ended meanwhile is settled by the word it left, and one that is gone without a word is lost. Lost is also what runs by
// the word of a database that does not know its worker, as a restored backup is: whatever is left of it is ended.

import { randomUUIDv7 } from "bun";
import { ignoreRefusal, isSystemError, systemTrouble } from "../domain/errors.ts";
import type { Job } from "../domain/job.ts";
import type { ClaimedJob, TakenJob } from "../domain/lease.ts";
import type { Settings } from "../domain/settings.ts";
import { journalPath } from "../home.ts";
import { adoptAttempt, loseAttempt } from "../runner/adopt.ts";
import { homeMark } from "../runner/mark.ts";
import { isOfThisMachine, ownIdentity } from "../runner/process-identity.ts";
import type { RunningAttempt } from "../runner/supervise.ts";
import type { Store } from "../store/store.ts";
import { attemptPlan, type PlanFacts } from "./attempt-plan.ts";
import { openCourier } from "./courier.ts";
import { takeAsWorker } from "./custody.ts";
import { every } from "./duty.ts";
import { isLiving, processStates, workersOf } from "./liveness.ts";

export interface RescueOptions {
  readonly store: Store;
  readonly home: string;
  /** The process that takes the jobs over. */
  readonly process_id: number;
  readonly settings: () => Settings;
  /** Where a worker that goes on has its journal; nothing by somebody who takes jobs over only to end them. */
  readonly journal?: string | undefined;
  /** Only this job, by its number. */
  readonly only?: number;
}

export interface RescuedJob {
  readonly taken: ClaimedJob;
  readonly attempt: RunningAttempt;
  /** The pid of the worker process that died; or it was forgotten, or the database copied while it ran, or its lease has ended. */
  readonly from: number | "an unknown worker" | "a vanished machine";
}

/**
 * Takes over what dead processes hold. Safe to do in many processes at once: the store gives each job to one of them. Each is
 * handed on as soon as it is taken, because from then on nobody else looks after it, whatever the store says to the next question.
 */
export async function* rescueOnce(options: RescueOptions): AsyncGenerator<RescuedJob> {
  const { store, home, process_id, settings, journal, only } = options;
  const { boot_id } = ownIdentity();
  const now = await store.now();
  // What runs has its environment already; the worker's own is of no use here.
  const facts: PlanFacts = { store, home, settings, environment: {} };
  for (const { process_id: dead, identity, home: itsHome, liveness } of await processStates(store)) {
    // Of another machine, or another home here, nothing could be taken over but the job: that waits for the lease's end.
    const isOurs =
      store.leaseMs === null || (isOfThisMachine(identity) && homeMark(itsHome) === homeMark(home));
    if (liveness !== "dead" || !isOurs) continue;
    const jobs = await store.leases.takeOver(dead, process_id, only);
    const adopt = async (taken: TakenJob): Promise<RescuedJob> => ({
      taken,
      attempt: await adopted(taken, {
        ...facts,
        rebooted: identity.boot_id !== boot_id,
        forced: isOfGuardian(store, taken, journal),
        now,
      }),
      from: identity.pid,
    });
    yield* adoptedOf(jobs, adopt);
  }
  const lost = (taken: ClaimedJob, from: RescuedJob["from"]): RescuedJob => ({
    taken,
    attempt: loseAttempt(attemptPlan(taken, facts), ranFor(taken, now)),
    from,
  });
  for (const taken of await store.leases.takeForgotten(process_id, only))
    yield lost(taken, "an unknown worker");
  for (const taken of await store.leases.takeExpired(process_id, only))
    yield lost(taken, "a vanished machine");
}

/** A full disk, or want of descriptors, may keep a command from being looked after; for so long it is tried. */
const tries = 10;
const tryAgainMs = 1_000;

/** Those that can be adopted do not wait for those that cannot. */
async function* adoptedOf<T>(
  jobs: readonly T[],
  adopt: (taken: T) => Promise<RescuedJob>,
): AsyncGenerator<RescuedJob> {
  let left = jobs;
  for (let tried = 1; left.length > 0; tried++) {
    const outcomes = await Promise.allSettled(left.map(adopt));
    for (const outcome of outcomes) if (outcome.status === "fulfilled") yield outcome.value;
    const failed = left.filter((_, place) => outcomes[place]!.status === "rejected");
    const [reason] = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    if (failed.length > 0 && !isSystemError(reason)) throw reason;
    // As long as this process lives nobody else looks after them.
    if (failed.length > 0 && tried === tries)
      throw new Error(`commands of a dead worker cannot be looked after: ${systemTrouble(reason)}`);
    if (failed.length > 0) await Bun.sleep(tryAgainMs);
    left = failed;
  }
}

/** Whether a command belongs to the guardian of the worker that is dead, and not to us. */
const isOfGuardian = ({ leaseMs }: Store, taken: TakenJob, journal: string | undefined) =>
  leaseMs !== null && journal !== undefined && taken.journal !== "" && !takeAsWorker(taken.journal, journal);

interface AdoptOptions extends PlanFacts {
  readonly rebooted: boolean;
  readonly forced: boolean;
  readonly now: number;
}

async function adopted(
  taken: TakenJob,
  { rebooted, forced, now, ...options }: AdoptOptions,
): Promise<RunningAttempt> {
  const { pid, pid_start, journal } = taken;
  const orphan = { journalPath: journal, pid, pid_start, rebooted, forced, ranFor: ranFor(taken, now) };
  const attempt = await adoptAttempt(attemptPlan(taken, options), orphan);
  if (forced) attempt.kill();
  return attempt;
}

/** Seconds since the job was started, by the wall clock. */
const ranFor = ({ job }: ClaimedJob, now: number) => Math.max(0, now - job.started_at!) / 1000;

export interface EndOptions {
  readonly home: string;
  readonly version: string;
  readonly settings: Settings;
}

/**
 * Ends running jobs that were cancelled when nobody is there to do it: their worker is dead, and no other has taken them over yet.
 * Does nothing to others. A job of a machine that vanished can be ended once that one's lease is over.
 */
export async function endCancelled(store: Store, jobs: readonly Job[], options: EndOptions): Promise<void> {
  if (jobs.length === 0) return;
  const living = new Set(workersOf((await processStates(store)).filter(isLiving)));
  for (const { seq, worker_id } of jobs)
    if (worker_id !== null && !living.has(worker_id)) await endOne(store, seq, options);
}

/** Where leases do not end, a heartbeat every 10 seconds says that somebody is there. */
const unleasedMs = 60_000;

async function endOne(store: Store, seq: number, { home, settings, version }: EndOptions): Promise<void> {
  const process_id = await store.workers.register({
    identity: ownIdentity(),
    home,
    version,
    queues: [],
    worker_ids: [],
    journal: journalPath(home, store.output?.queue, randomUUIDv7()),
  });
  try {
    // A command may be given longer to end than a lease lasts.
    await using _heartbeat = every((store.leaseMs ?? unleasedMs) / 6, async () => {
      await store.workers.heartbeat(process_id);
    });
    const courier = openCourier({ store, home, limit: () => settings.log_limit });
    const rescued = rescueOnce({ store, home, process_id, settings: () => settings, only: seq });
    for await (const { taken, attempt } of rescued) {
      attempt.end("cancelled");
      courier.take(taken, "taken over");
      const settlement = await courier.complete({ lease: taken.lease, ending: await attempt.ended });
      const { settled } = await store.leases.exchange({
        started: [],
        ended: [settlement],
        settings,
        wanted: null,
      });
      courier.done(taken.lease, settled.length > 0);
    }
  } finally {
    // What it holds by then is found by the next worker.
    await store.workers.forget(process_id).catch(ignoreRefusal);
  }
}
