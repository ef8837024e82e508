// What may happen to a queue, as random steps that run in a store and in the model alike.

import { expect } from "bun:test";
import fc from "fast-check";
import type { Ending } from "../../../src/domain/attempt.ts";
import { type FailurePolicy, failurePolicies } from "../../../src/domain/dependencies.ts";
import type { Job, JobState, NewJob } from "../../../src/domain/job.ts";
import { isSettled } from "../../../src/domain/job.ts";
import type { Lease } from "../../../src/domain/lease.ts";
import type { Wanted } from "../../../src/store/leases.ts";
import type { Store } from "../../../src/store/store.ts";
import * as queue from "../../support/queue-model.ts";
import {
  asyncly,
  endedAs,
  exitWith,
  identity,
  newJob,
  refusalOf,
  settings,
} from "../../support/sample-jobs.ts";
import type { TempStore } from "../../support/temp-store.ts";

type Model = queue.QueueModel;

export interface Step {
  readonly name: string;
  run(model: Model, real: TempStore): Promise<void>;
}

/** A step that does the same in both worlds; what the values of each were stands in its name. */
const step = <T>(
  name: string,
  values: fc.Arbitrary<T>,
  run: (values: T, model: Model, real: TempStore) => Promise<void>,
): fc.Arbitrary<Step> =>
  values.map((value) => ({
    name: `${name} ${JSON.stringify(value)}`,
    run: (model, real) => run(value, model, real),
  }));

const queueName = fc.constantFrom("a", "b", "c");
const queues = fc.oneof(fc.constant(null), fc.uniqueArray(queueName, { minLength: 1 }));
const limit = fc.integer({ min: 1, max: 4 });
const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 3 });
const only = fc.constantFrom<JobState | undefined>(undefined, undefined, "dead", "completed");

interface ParentPick {
  readonly pick: number;
  readonly if_fails: FailurePolicy;
}

const job = fc.record({
  priority: fc.integer({ min: 1, max: 5 }),
  queue: queueName,
  max_retries: fc.integer({ min: 0, max: 2 }),
  delayMs: fc.constantFrom(0, 0, 0, -1000, 1000, 5000),
  held: fc.constantFrom(false, false, false, true),
  key: fc.constantFrom(null, null, "k", "l"),
  /** Which of the jobs that there are it comes after. */
  parents: fc.oneof(
    fc.constant<ParentPick[]>([]),
    fc.array<ParentPick>(fc.record({ pick: fc.nat(), if_fails: fc.constantFrom(...failurePolicies) }), {
      maxLength: 3,
    }),
  ),
});

const edit = fc.record(
  {
    priority: fc.integer({ min: 1, max: 5 }),
    queue: queueName,
    key: fc.constantFrom(null, "k"),
    delayMs: fc.constantFrom(-1000, 1000, 5000),
  },
  { requiredKeys: [] },
);

const ending = fc
  .tuple(
    fc.constantFrom(
      exitWith(0),
      exitWith(0),
      exitWith(1),
      exitWith(1),
      endedAs("signalled", { signal: "SIGSEGV" }),
      endedAs("timed_out", { exit_code: 124 }),
      endedAs("not_started", { exit_code: 127 }),
      endedAs("cancelled"),
      endedAs("released"),
      endedAs("lost"),
      endedAs("lost"),
      endedAs("rebooted"),
    ),
    fc.constantFrom(0.5, 1, 2.25),
  )
  .map(([ending, duration]): Ending => ({ ...ending, duration }));

const turn = fc.record({
  process: fc.nat(),
  /** How many of its idle workers ask for jobs. */
  hungry: fc.integer({ min: 0, max: 4 }),
  queues,
  isFair: fc.boolean(),
  /** Which of the running jobs end. */
  ended: fc.array(fc.record({ pick: fc.nat(), ending }), { maxLength: 3 }),
  /** Which of all leases there ever were is told to have ended, once more or too late. */
  late: fc.option(fc.record({ pick: fc.nat(), ending })),
});

export const steps: fc.Arbitrary<Step>[] = [
  step("enqueue", job, async (wanted, model, { store, clock }) => {
    const given = jobFrom(model, wanted, clock.now);
    addGiven(model, given, await store.jobs.enqueue(given), clock.now);
  }),

  step("enqueue for a worker", fc.tuple(job, fc.nat()), async ([wanted, pick], model, { store, clock }) => {
    const [worker_id] = idleWorkers(model, picked([...model.processes.keys()], pick)!);
    if (worker_id === undefined) return;
    const given = jobFrom(model, wanted, clock.now);
    const { job: stored, claimed } = await store.leases.enqueueFor(worker_id, given);
    const entry = addGiven(model, given, stored, clock.now);
    expect(claimed?.job.seq).toBe((mayRun(model, entry, clock.now) ? stored.seq : undefined) as number);
    if (claimed) queue.startJob(model, claimed, clock.now);
  }),

  step("enqueue once", fc.tuple(job, fc.constantFrom("u", "v")), async ([wanted, key], model, real) => {
    const { store, clock } = real;
    const given = { ...jobFrom(model, { ...wanted, parents: [] }, clock.now), unique: { key, seconds: 2 } };
    const same = [...model.jobs.values()].findLast(
      ({ job, unique }) => unique === key && (!isSettled(job.state) || job.created_at > clock.now - 2000),
    );
    const { job: stored, isNew } = await store.jobs.enqueueOnce(given);
    expect(isNew ? undefined : stored.id).toBe(same?.job.id as string);
    if (!isNew) return;
    queue.addJob(model, stored);
    model.jobs.get(stored.seq)!.unique = key;
  }),

  step("enqueueAll", fc.array(job, { maxLength: 4 }), async (all, model, { store, clock }) => {
    const given = all.map((wanted) => jobFrom(model, wanted, clock.now));
    const enqueued = await store.jobs.enqueueAll(asyncly(given));
    const ids = await Array.fromAsync(enqueued.ids());
    expect([enqueued.count, ids.length]).toEqual([given.length, given.length]);
    for (const [n, id] of ids.entries()) {
      const stored = await store.jobs.find(id);
      const { after, run_at = clock.now, ...rest } = given[n]!;
      const { created_at, started_at, seq } = stored;
      expect([created_at, started_at]).toEqual([clock.now, null]);
      const next_run_at = rest.held ? null : run_at;
      const fresh = { state: "pending", unmet: 0, last_error: null, finished_at: null } as const;
      queue.addJob(model, { ...stored, ...rest, ...fresh, id, seq, run_at, next_run_at }, after, clock.now);
    }
  }),

  ...Array.from({ length: 4 }, () => step("turn", turn, takeTurn)),

  step("claim only", fc.nat(), async (pick, model, { store, clock }) => {
    const entry = picked([...model.jobs.values()], pick);
    const [worker_id] = idleWorkers(model, picked([...model.processes.keys()], pick)!);
    if (!entry || worker_id === undefined) return;
    const { seq } = entry.job;
    const isDue = queue.isDue(entry, clock.now);
    const runs = mayRun(model, entry, clock.now);
    const wanted = { worker_ids: [worker_id], queues: null, only: seq };
    const result = await store.leases.exchange({ started: [], ended: [], settings, wanted });
    expect(result.claimed.map(({ job }) => job.seq)).toEqual(runs ? [seq] : []);
    const opensAt = runs || !isDue ? null : queue.rateOpensAt(model, entry.job.queue, clock.now);
    const waits = isDue ? [opensAt, ...(entry.job.key === null ? [] : [null])] : [entry.job.next_run_at];
    expect(waits).toContain(result.next_due_at);
    for (const claimed of result.claimed) queue.startJob(model, claimed, clock.now);
  }),

  step("pause or resume", fc.tuple(queueName, fc.boolean()), async ([name, pauses], model, { store }) => {
    if (pauses) {
      await store.queues.pause([name]);
      model.paused.add(name);
    } else {
      await store.queues.resume([name]);
      model.paused.delete(name);
    }
  }),

  step("limit", fc.tuple(queueName, fc.constantFrom(1, 2, null)), async ([name, most], model, { store }) => {
    await store.queues.limit(name, { concurrency: most });
    if (most === null) model.concurrency.delete(name);
    else model.concurrency.set(name, most);
  }),

  step(
    "rate",
    fc.tuple(queueName, fc.constantFrom(null, { starts: 1, per: 1 }, { starts: 3, per: 5 })),
    async ([name, rate], model, { store }) => {
      await store.queues.limit(name, { rate });
      if (rate === null) {
        model.rates.delete(name);
        model.starts = model.starts.filter((start) => start.queue !== name);
      } else model.rates.set(name, { starts: rate.starts, ms: rate.per * 1000 });
    },
  ),

  step("cancel", picks, async (numbers, model, { store, clock }) => {
    const chosen = pickedJobs(model, numbers);
    const done = store.jobs.cancel(chosen.map(({ job }) => job.seq));
    if (!chosen.every(queue.mayCancel)) return await expectWrongState(done);
    await done;
    // As the store does: those that were named first, and then what comes after them.
    for (const entry of new Set(chosen)) entry.waitsFor.clear();
    for (const entry of new Set(chosen)) queue.cancelJob(model, entry, clock.now);
  }),

  step("snooze", fc.tuple(fc.nat(), fc.constantFrom(0, 1000)), async ([pick, ms], model, { store }) => {
    const entry = picked(queue.jobsIn(model, "processing"), pick);
    if (!entry) return;
    await store.leases.snooze(entry.job.seq, entry.attempts.length, ms);
    entry.snooze = ms;
  }),

  step("hold", picks, async (numbers, model, { store, clock }) => {
    const chosen = pickedJobs(model, numbers);
    const done = store.jobs.hold(chosen.map(({ job }) => job.seq));
    if (!chosen.every(queue.isWaiting)) return await expectWrongState(done);
    await done;
    for (const entry of chosen) queue.holdJob(entry, clock.now);
  }),

  step("release", picks, async (numbers, model, { store, clock }) => {
    const held = [...model.jobs.values()].filter(({ job }) => job.held);
    const chosen = new Set(numbers.flatMap((pick) => picked(held, pick) ?? []));
    await store.jobs.release([...chosen].map(({ job }) => job.seq));
    for (const entry of chosen) queue.releaseJob(entry, clock.now);
  }),

  step("edit", fc.tuple(fc.nat(), edit), async ([pick, { delayMs, ...more }], model, { store, clock }) => {
    const entry = picked([...model.jobs.values()], pick);
    if (!entry) return;
    const edit = { ...more, ...(delayMs !== undefined && { run_at: clock.now + delayMs }) };
    const done = store.jobs.edit(entry.job.seq, () => edit);
    if (!queue.isWaiting(entry)) return await expectWrongState(done);
    await done;
    queue.editJob(entry, edit, clock.now);
  }),

  step("retry", fc.tuple(picks, only), async ([numbers, only], model, { store, clock }) => {
    const chosen = pickedJobs(model, numbers);
    const seqs = chosen.map(({ job }) => job.seq);
    const done = store.jobs.retry(seqs, only);
    if (!chosen.every((entry) => queue.mayChange(entry, only))) return await expectWrongState(done);
    await done;
    for (const entry of chosen) queue.retryJob(entry, clock.now);
  }),

  step("delete", fc.tuple(picks, only), async ([numbers, only], model, { store, clock }) => {
    const chosen = pickedJobs(model, numbers.slice(0, 2));
    const seqs = chosen.map(({ job }) => job.seq);
    const done = store.jobs.delete(seqs, only);
    if (!chosen.every((entry) => queue.mayChange(entry, only))) return await expectWrongState(done);
    expectRemoved(await done, new Set(chosen), model, clock.now);
  }),

  step("retry dead ones", limit, async (limit, model, { store, clock }) => {
    const newest = queue.jobsIn(model, "dead").slice(-limit);
    const { changed } = await store.matching.change("retry", { state: "dead" }, { limit });
    expect(changed).toBe(newest.length);
    for (const entry of newest) queue.retryJob(entry, clock.now);
  }),

  step("delete dead ones", limit, async (limit, model, { store, clock }) => {
    const newest = queue.jobsIn(model, "dead").slice(-limit);
    const { removed } = await store.matching.change("delete", { state: "dead" }, { limit });
    expectRemoved(removed, newest, model, clock.now);
  }),

  step("prune", fc.tuple(limit, fc.constantFrom(0, 1000, 5000)), async ([limit, age], model, real) => {
    const before = real.clock.now - age;
    const awaited = new Set([...model.jobs.values()].flatMap(({ waitsFor }) => [...waitsFor.keys()]));
    const old = queue
      .jobsIn(model, "completed", "cancelled")
      .filter(({ job }) => job.finished_at! < before && !awaited.has(job.seq));
    const removed = await real.store.jobs.prune(before, limit);
    expect(removed.length).toBe(Math.min(limit, old.length));
    const seqs = new Set(removed.map(({ seq }) => seq));
    expectRemoved(
      removed,
      old.filter(({ job }) => seqs.has(job.seq)),
      model,
      real.clock.now,
    );
  }),

  step("the clock goes on", fc.constantFrom(1, 999, 2000, 4000, 60_000), async (ms, _model, { clock }) => {
    clock.now += ms;
  }),

  step("a process dies and another takes over", fc.nat(), async (pick, model, { store }) => {
    const dead = picked([...model.processes.keys()], pick)!;
    const next = await addProcess(model, store);
    const workers = model.processes.get(dead)!;
    const held = queue.jobsIn(model, "processing").filter(({ job }) => workers.has(job.worker_id!));
    const taken = await store.leases.takeOver(dead, next);
    expect(taken.map(({ job }) => job.seq).toSorted()).toEqual(held.map(({ job }) => job.seq).toSorted());
    for (const { lease, worker_id } of taken) {
      const entry = model.jobs.get(lease.job_seq)!;
      expect(lease.lease_seq).toBeGreaterThan(entry.lease_seq);
      entry.lease_seq = lease.lease_seq;
      model.leases.push(lease);
      model.processes.get(next)!.add(worker_id);
    }
    model.processes.delete(dead);
  }),

  step("a process is forgotten", fc.nat(), async (pick, model, { store }) => {
    const gone = picked([...model.processes.keys()], pick)!;
    await store.workers.forget(gone);
    model.processes.delete(gone);
    await addProcess(model, store);
  }),

  step("an idle worker leaves", fc.nat(), async (pick, model, { store }) => {
    const process = picked([...model.processes.keys()], pick)!;
    const [leaving] = idleWorkers(model, process);
    if (leaving === undefined || model.processes.size < 2) return;
    await store.workers.leave([leaving]);
    const workers = model.processes.get(process)!;
    workers.delete(leaving);
    if (workers.size === 0) model.processes.delete(process);
  }),
];

function addGiven(model: Model, given: NewJob, { id, seq }: Job, now: number): queue.ModelJob {
  const moments = { created_at: now, updated_at: now, started_at: null, finished_at: null };
  const run_at = given.run_at ?? now;
  const none = { last_exit_code: null, last_error: null, last_duration: null, worker_id: null };
  const waits = { state: "pending", attempts: 0, unmet: 0, run_at } as const;
  const next_run_at = given.held ? null : run_at;
  const { after, ...rest } = given;
  queue.addJob(model, { ...rest, id, seq, ...waits, next_run_at, ...moments, ...none }, after, now);
  return model.jobs.get(seq)!;
}

/** Whether a claim of only this job gets it. */
const mayRun = (model: Model, entry: queue.ModelJob, now: number) =>
  queue.isDue(entry, now) && queue.isKeyFree(model, entry) && queue.roomIn(model, entry.job.queue, now) > 0;

async function takeTurn(
  { process, hungry, queues, isFair, ended, late }: typeof turn extends fc.Arbitrary<infer T> ? T : never,
  model: Model,
  { store, clock }: TempStore,
): Promise<void> {
  const { now } = clock;
  const running = queue.jobsIn(model, "processing");
  const settlements: { lease: Lease; ending: Ending }[] = ended
    .slice(0, running.length)
    .map(({ pick, ending }) => ({ lease: queue.leaseOf(picked(running, pick)!), ending }));
  const lateLease = late && picked(model.leases, late.pick);
  if (lateLease) settlements.push({ lease: lateLease, ending: late.ending });

  const settled: number[] = [];
  const stale: Lease[] = [];
  for (const { lease, ending } of settlements) {
    if (queue.endJob(model, lease, ending, now)) settled.push(lease.job_seq);
    else stale.push(lease);
  }
  const worker_ids = idleWorkers(model, picked([...model.processes.keys()], process)!).slice(0, hungry);
  const wanted: Wanted | null = worker_ids.length === 0 ? null : { worker_ids, queues, isFair };
  const due = wanted ? queue.dueJobs(model, queues, now, worker_ids.length, isFair) : [];

  const result = await store.leases.exchange({ started: [], ended: settlements, settings, wanted });
  expect(result.stale).toEqual(stale);
  expect(result.settled.map(({ seq }) => seq)).toEqual(settled);
  expect(result.claimed.map(({ job, worker_id, attempt }) => ({ seq: job.seq, worker_id, attempt }))).toEqual(
    due.map(({ job, attempts }, n) => ({
      seq: job.seq,
      worker_id: worker_ids[n]!,
      attempt: attempts.length + 1,
    })),
  );
  for (const claimed of result.claimed) {
    expect(claimed.lease.lease_seq).toBeGreaterThan(model.jobs.get(claimed.job.seq)!.lease_seq);
    queue.startJob(model, claimed, now);
    expect(claimed.job).toEqual(model.jobs.get(claimed.job.seq)!.job);
  }
  const asksOn = wanted !== null && due.length < worker_ids.length;
  expect(asksOn ? queue.nextDueAt(model, queues, now) : [null]).toContain(result.next_due_at);
}

function expectRemoved(
  removed: readonly { seq: number; attempts: number }[],
  expected: Iterable<queue.ModelJob>,
  model: Model,
  now: number,
): void {
  const wanted = [...expected].map(({ job, attempts }) => ({ seq: job.seq, attempts: attempts.length }));
  const bySeq = (a: { seq: number }, b: { seq: number }) => a.seq - b.seq;
  expect(removed.toSorted(bySeq)).toEqual(wanted.sort(bySeq));
  const gone = removed.map(({ seq }) => model.jobs.get(seq)!.job);
  for (const { seq } of gone) model.jobs.delete(seq);
  for (const job of gone) queue.tellChildren(model, { ...job, state: "completed" }, now);
}

async function expectWrongState(done: Promise<unknown>): Promise<void> {
  expect((await refusalOf(done)).kind).toBe("wrong_state");
}

let workers = 0;

/** A process of two workers in both worlds. */
export async function addProcess(model: Model, store: Store): Promise<number> {
  const worker_ids = [`worker-${++workers}`, `worker-${++workers}`];
  const entry = { identity, home: "/home", version: "1", queues: null, worker_ids, journal: "/journal" };
  const process_id = await store.workers.register(entry);
  model.processes.set(process_id, new Set(worker_ids));
  return process_id;
}

function idleWorkers(model: Model, process_id: number): string[] {
  const busy = new Set(queue.jobsIn(model, "processing").map(({ job }) => job.worker_id));
  return [...model.processes.get(process_id)!].filter((id) => !busy.has(id));
}

const picked = <T>(all: readonly T[], pick: number): T | undefined => all[pick % all.length];

const pickedJobs = (model: Model, numbers: readonly number[]) =>
  numbers.flatMap((pick) => picked([...model.jobs.values()], pick) ?? []);

function jobFrom(
  model: Model,
  { delayMs, parents, ...more }: typeof job extends fc.Arbitrary<infer T> ? T : never,
  now: number,
): NewJob {
  const named = (parents as ParentPick[]).flatMap(({ pick, if_fails }) => {
    const entry = picked([...model.jobs.values()], pick);
    return entry ? [[entry.job.id, if_fails] as const] : [];
  });
  const after = [...new Map(named)].map(([id, if_fails]) => ({ id, if_fails }));
  return newJob({ ...more, after, run_at: delayMs === 0 ? undefined : now + delayMs });
}
