// A queue for programs: what the command line does with jobs, as functions that give values.

import type { Attempt } from "../domain/attempt.ts";
import type { Refusal } from "../domain/errors.ts";
import { isSettled, type Job } from "../domain/job.ts";
import { defaultsFrom } from "../domain/plain-job.ts";
import type { Stream } from "../domain/rules.ts";
import { effectiveSettings, type Settings } from "../domain/settings.ts";
import type { Stats } from "../domain/stats.ts";
import { ensureHome } from "../home.ts";
import type { JobFilter } from "../store/jobs.ts";
import { openStore } from "../store/open.ts";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";
import { removeJobLogs } from "../worker/job-logs.ts";
import {
  checkFilter,
  checkFrom,
  checkId,
  checkLimit,
  checkListener,
  checkObject,
  checkOptions,
  checkSignal,
  checkSource,
  checkTimeout,
  idsOf,
} from "./checks.ts";
import { eventsOf, type JobEvent } from "./events.ts";
import { outputOf } from "./output.ts";
import { checkPlace, type QueuePlace, variablesOf, whereOf } from "./place.ts";
import { type Command, type EnqueueOptions, type JobWish, jobOf } from "./request.ts";
import { type Patience, untilAll } from "./until-all.ts";

/** Some of what an attempt printed. */
export interface OutputPiece {
  /** 1 for a job's first run. */
  readonly attempt: number;
  /** Where it was written to, of a job that keeps the two apart (`split`); of any other `stdout` means both. */
  readonly stream: Stream;
  /** A character may be divided between two pieces. */
  readonly bytes: Uint8Array;
  /**
   * Bytes before these that are not kept, or were not any more when they were read, because there was more output than `log_limit`; 0 as
   * a rule.
   */
  readonly leftOut: number;
}

export interface FollowOptions {
  /** The first attempt to give; 1 by default. */
  readonly from?: number | undefined;
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListFilter extends JobFilter {
  /** At most so many; all without. */
  readonly limit?: number | undefined;
  /** Told of every job that is left out because its row in the database is damaged; said on stderr by default. */
  readonly onDamaged?: ((why: Refusal) => void) | undefined;
}

/**
 * A queue that is open. Every method may reject with a `Refusal`, whose `kind` says why. An id may be any unambiguous beginning of
 * one. Moments are milliseconds since 1970, durations are seconds. Workers are not part of it: `queuectl worker` runs the jobs.
 * Once it is closed, whatever is asked of it is rejected with an `Error` that says so.
 */
export interface Queue extends AsyncDisposable {
  /** Stores a job, and is fulfilled when it is on disk. A relative `cwd` is one below this program's. */
  enqueue(command: Command, options?: EnqueueOptions): Promise<Job>;

  /** Stores many jobs, all or none of them, and gives their ids in order. */
  enqueueAll(jobs: Iterable<JobWish> | AsyncIterable<JobWish>): Promise<readonly string[]>;

  job(id: string): Promise<Job>;

  /** Every run of a job, the oldest first. */
  attempts(id: string): Promise<readonly Attempt[]>;

  /** The newest first. One damaged job keeps nobody from the others. */
  list(filter?: ListFilter): Promise<readonly Job[]>;

  /**
   * The job once it is settled: completed, dead or cancelled, which of them is in its `state`. Rejected with a `TimeoutError` when
   * `timeout` is over, with the signal's reason when that is aborted, and with a `Refusal` when the job is deleted or the queue
   * moves away.
   */
  wait(id: string, patience?: Patience): Promise<Job>;
  /** The jobs once all of them are settled, in the order of their ids. */
  wait(ids: readonly string[], patience?: Patience): Promise<readonly Job[]>;

  /**
   * What a job prints, from its first run on and through all retries, until it is settled; of a settled job, what it printed. All of
   * it comes, in order, wherever the job runs.
   */
  follow(id: string, options?: FollowOptions): AsyncIterableIterator<OutputPiece>;

  /**
   * The states that these jobs go through, beginning with those that they are in, until all are settled or deleted. The state in
   * which a job settles is always told, once. One that lasts less than half a second may be left out: a quick job is told as
   * pending and then as completed. What a job becomes that is retried after it was settled is not told.
   */
  events(
    ids: string | readonly string[],
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterableIterator<JobEvent>;

  /** Stops jobs that wait; marks those that run for their workers to end, which `wait` waits for. */
  cancel(ids: string | readonly string[]): Promise<readonly Job[]>;

  /** Makes jobs pending, to run as soon as their turn comes, with a fresh count of attempts. */
  retry(ids: string | readonly string[]): Promise<readonly Job[]>;

  /** Removes jobs that do not run, with their history and output. */
  delete(ids: string | readonly string[]): Promise<void>;

  stats(): Promise<Stats>;
}

/** What an open queue is made of, for what else is built on one. */
export interface QueueParts {
  readonly store: Store;
  readonly home: string;
  /** This program's, and in it which queue this is. */
  readonly environment: Readonly<Record<string, string>>;
  settings(): Promise<Settings>;
  /** Aborted when the queue is closed. */
  readonly closed: AbortSignal;
}

const parts = new WeakMap<Queue, QueueParts>();

export function partsOf(queue: Queue): QueueParts {
  const found = parts.get(queue);
  if (!found) throw new TypeError("this is no queue that Queue.open has opened");
  return found;
}

export const Queue = {
  /** Opens a queue, making it where there is none. `await using` closes it; iterations over it end then. */
  open: async (place: QueuePlace = {}): Promise<Queue> => {
    checkPlace(place);
    const environment = present(process.env);
    const where = whereOf(place, environment);
    if (where.database === undefined) ensureHome(where.home);
    return queueOf(await openStore(where), where.home, { ...environment, ...variablesOf(where) });
  },
};

const present = (environment: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

const sayDamaged = ({ message, advice }: Refusal) => console.error(`queuectl: ${message}; ${advice}`);

function queueOf(store: Store, home: string, environment: Readonly<Record<string, string>>): Queue {
  const closing = new AbortController();
  const settings = async () =>
    effectiveSettings({ ...store.defaults, ...(await store.settings.all()) }, environment);
  const facts = async () => ({
    defaults: defaultsFrom(await settings(), { cwd: process.cwd(), environment }),
    now: await store.now(),
  });
  const untilClosed = (signal: AbortSignal | undefined) =>
    signal ? AbortSignal.any([signal, closing.signal]) : closing.signal;

  /** Ends when the queue is closed. One that was closed before it was asked has no such end, which would be taken for that of the jobs. */
  function whileOpen<T>(iterate: () => AsyncGenerator<T, void, undefined>) {
    const wasClosed = closing.signal.aborted;
    return (async function* () {
      if (wasClosed) throw closing.signal.reason;
      try {
        yield* iterate();
      } catch (error) {
        if (!closing.signal.aborted) throw error;
      }
    })();
  }

  /** What is under way when the queue is closed fails in as many ways as there are steps, none of which says why. */
  async function orClosed<T>(ask: () => Promise<T>): Promise<T> {
    closing.signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      throw closing.signal.aborted ? closing.signal.reason : error;
    }
  }

  async function eachOf<J>(ids: string | readonly string[], find: (id: string) => Promise<J>): Promise<J[]> {
    const jobs: J[] = [];
    for (const id of idsOf(ids)) jobs.push(await find(id));
    return jobs;
  }
  const named = (ids: string | readonly string[]) => eachOf(ids, store.jobs.find);
  const seqsOf = async (ids: string | readonly string[]) => (await named(ids)).map(({ seq }) => seq);

  async function waitFor(ids: string | readonly string[], patience: Patience): Promise<readonly Job[]> {
    checkOptions(patience, ["timeout", "signal"]);
    const { timeout, signal } = patience;
    checkTimeout(timeout);
    checkSignal(signal);
    const settled = await untilAll(store, await named(ids), isSettled, {
      timeout,
      signal: untilClosed(signal),
    });
    if (settled) return settled;
    throw new DOMException("the time is up and not all jobs are settled", "TimeoutError");
  }

  const queue: Queue = {
    enqueue: (command, options = {}) =>
      orClosed(async () => {
        checkObject(options);
        return store.jobs.enqueue(jobOf({ ...options, command }, await facts()));
      }),

    enqueueAll: (jobs) =>
      orClosed(async () => {
        checkSource(jobs);
        const given = await facts();
        async function* all() {
          for await (const job of jobs) yield jobOf(job, given);
        }
        return Array.fromAsync((await store.jobs.enqueueAll(all())).ids());
      }),

    job: (id) =>
      orClosed(async () => {
        checkId(id);
        return store.jobs.find(id);
      }),

    attempts: (id) =>
      orClosed(async () => {
        checkId(id);
        return (await store.jobs.history(id)).attempts;
      }),

    list: (options = {}) =>
      orClosed(async () => {
        checkObject(options);
        const { limit = 0, onDamaged = sayDamaged, ...filter } = options;
        checkLimit(limit);
        checkListener("onDamaged", onDamaged);
        checkFilter(filter);
        const { jobs, damaged } = await store.jobs.list(filter, { limit });
        for (const why of damaged) onDamaged(why);
        return jobs;
      }),

    wait: ((ids: string | readonly string[], patience: Patience = {}) =>
      orClosed(async () => {
        const settled = await waitFor(ids, patience);
        return typeof ids === "string" ? settled[0]! : settled;
      })) as Queue["wait"],

    follow: (id, options = {}) =>
      whileOpen(async function* () {
        checkId(id);
        checkOptions(options, ["from", "signal"]);
        const { from = 1, signal } = options;
        checkFrom(from);
        checkSignal(signal);
        const job = await store.jobs.find(id);
        const steps = outputOf({ store, home, job, from, onwards: true, signal: untilClosed(signal) });
        for await (const step of steps)
          if (step.kind === "output") {
            const { attempt, stream, bytes, gap } = step;
            yield { attempt, stream, bytes, leftOut: gap ? gap.to - gap.from : 0 };
          }
      }),

    events: (ids, options = {}) =>
      whileOpen(async function* () {
        checkOptions(options, ["signal"]);
        const { signal } = options;
        checkSignal(signal);
        yield* eventsOf(store, await named(ids), untilClosed(signal));
      }),

    cancel: (ids) =>
      orClosed(async () => {
        const jobs = await store.jobs.cancel(await seqsOf(ids));
        const running = jobs.filter(({ state }) => state === "processing");
        if (running.length > 0) {
          const { endCancelled } = await import("../worker/rescuer.ts");
          await endCancelled(store, running, { home, version, settings: await settings() });
        }
        return jobs;
      }),

    retry: (ids) => orClosed(async () => store.jobs.retry(await seqsOf(ids))),

    delete: (ids) =>
      orClosed(async () => {
        // One that cannot be read is removed as well.
        const jobs = await eachOf(ids, store.jobs.named);
        removeJobLogs({ store, home }, await store.jobs.delete(jobs.map(({ seq }) => seq)));
      }),

    stats: () => orClosed(() => store.stats.read()),

    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the queue was closed"));
      await store[Symbol.asyncDispose]();
    },
  };
  parts.set(queue, { store, home, environment, settings, closed: closing.signal });
  return queue;
}
