// What a worker process has at hand: the attempts that run, and those that have ended and are not settled yet.

import type { Ending } from "../domain/attempt.ts";
import type { Job } from "../domain/job.ts";
import type { ClaimedJob, Settlement } from "../domain/lease.ts";
import { markOf } from "../runner/mark.ts";
import { startOf } from "../runner/process-identity.ts";
import type { EndReason, RunningAttempt } from "../runner/supervise.ts";
import type { StartedAttempt, TurnResult } from "../store/leases.ts";
import type { WorkerEvent } from "./events.ts";

export interface Run {
  readonly claimed: ClaimedJob;
  readonly attempt: RunningAttempt;
  /** By the clock that nobody sets. */
  readonly startedAt: number;
}

export interface EndedRun {
  readonly settlement: Settlement;
  readonly run: Run;
}

/** What the store is to be told of. */
export interface Batch {
  readonly started: readonly Run[];
  readonly ended: readonly EndedRun[];
}

export interface Runs {
  /** Watches over an attempt until it ends. Of one that was taken over, the store knows already that it started. */
  add(claimed: ClaimedJob, attempt: RunningAttempt, isKnown?: boolean): void;
  /** The attempt of a job that runs. */
  of(job_seq: number): Run | undefined;
  running(): readonly Run[];
  ended(): readonly EndedRun[];
  areNone(): boolean;
  /** Whether any has ended and is not settled yet. */
  areSettling(): boolean;
  /** The jobs that run. */
  jobs(): Job[];
  /** What the marks of all that is at hand say; `queue` as for marks (src/runner/mark.ts). */
  marks(home: string, queue: string | undefined): Set<string>;
  /** The workers that have something at hand. */
  busyWorkers(): Set<string>;
  end(reason: EndReason, which?: (run: Run) => boolean): void;
  kill(): void;
  /** Stops watching what runs. */
  abandon(): void;
  /** Hands out what the store does not know of yet. */
  takeBatch(): Batch;
  /** Takes back what the store would not hear. */
  putBack(batch: Batch): void;
  /** Milliseconds until there is something to be told of what runs; undefined when there is not. */
  tellIn(): number | undefined;
}

/** Processes just started are told to the store this soon, but not at the price of a sync for each short command. */
const tellStartedMs = 50;

/** One that waits for what is left of earlier attempts has none yet. */
const hasProcess = ({ attempt }: Run) => attempt.pid !== null;

export const startedAttempt = ({ claimed: { lease }, attempt: { pid } }: Run): StartedAttempt => ({
  lease,
  pid: pid!,
  pid_start: startOf(pid!) ?? "",
});

export interface RunsOptions {
  /** What has to be waited for when an attempt has ended, before it is settled. */
  beforeSettling(claimed: ClaimedJob, ending: Ending): Promise<void>;
  onEnd(): void;
  /** Whether what runs is being ended because the lease of this process may end. */
  hasLapsed(): boolean;
}

export function makeRuns({ beforeSettling, onEnd, hasLapsed }: RunsOptions): Runs {
  const running = new Map<number, Run>();
  /** Those whose process the store does not know of, the oldest first. */
  let untold: Run[] = [];
  /** Those that have ended, and are not to be settled yet. */
  const waiting = new Set<Run>();
  let ended: EndedRun[] = [];

  const atHand = () => [...running.values(), ...waiting, ...ended.map(({ run }) => run)];

  return {
    add(claimed, attempt, isKnown = false) {
      const { lease } = claimed;
      const run = { claimed, attempt, startedAt: performance.now() };
      running.set(lease.job_seq, run);
      if (!isKnown) untold.push(run);
      void attempt.ended.then(async (told) => {
        const ending = isForced(told) && hasLapsed() ? givenBack(told) : told;
        running.delete(lease.job_seq);
        untold = untold.filter((other) => other !== run);
        waiting.add(run);
        await beforeSettling(claimed, ending);
        waiting.delete(run);
        ended.push({ settlement: { lease, ending, pid: attempt.pid }, run });
        onEnd();
      });
    },
    of: (job_seq) => running.get(job_seq),
    running: () => [...running.values()],
    ended: () => ended,
    areNone: () => atHand().length === 0,
    areSettling: () => waiting.size > 0 || ended.length > 0,
    jobs: () => [...running.values()].map(({ claimed }) => claimed.job),
    marks: (home, queue) =>
      new Set(atHand().map(({ claimed: { job, attempt } }) => markOf(home, queue, job.seq, attempt).run)),
    busyWorkers: () => new Set(atHand().map(({ claimed }) => claimed.worker_id)),
    end(reason, which = () => true) {
      for (const run of running.values()) if (which(run)) run.attempt.end(reason);
    },
    kill() {
      for (const run of running.values()) run.attempt.kill();
    },
    abandon() {
      for (const run of running.values()) run.attempt.abandon();
    },
    takeBatch() {
      // Short commands have ended before it is worth a word.
      const before = performance.now() - tellStartedMs;
      const started = untold.filter((run) => hasProcess(run) && run.startedAt <= before);
      const batch = { started, ended };
      untold = untold.filter((run) => !started.includes(run));
      ended = [];
      return batch;
    },
    putBack(batch) {
      untold = [...batch.started, ...untold];
      ended = [...batch.ended, ...ended];
    },
    tellIn() {
      const first = untold.find(hasProcess);
      return first && Math.max(0, first.startedAt + tellStartedMs - performance.now());
    },
  };
}

const isForced = ({ result }: Ending) => result === "released" || result === "signalled";

/** The guardian may be faster than this process, which then finds its commands killed. */
const givenBack = (ending: Ending): Ending => ({
  ...ending,
  result: "released",
  exit_code: null,
  signal: null,
  error: "given back: the database had not been heard of for too long",
});

/** What became of attempts that the store was told of. */
export function endings(ended: readonly EndedRun[], { settled }: TurnResult): WorkerEvent[] {
  const jobs = new Map(settled.map((job) => [job.seq, job]));
  return ended.map(({ settlement, run: { claimed } }) => {
    const { worker_id, attempt } = claimed;
    const job = jobs.get(settlement.lease.job_seq);
    if (job) return { kind: "settled", worker_id, attempt, job, ending: settlement.ending };
    return { kind: "stale", worker_id, job: claimed.job };
  });
}
