// queuectl logs of several jobs: what they printed, or print, behind their names.

import type { Gap } from "../../domain/attempt.ts";
import { Refusal } from "../../domain/errors.ts";
import { isSettled, type Job, type JobState, unsettledStates } from "../../domain/job.ts";
import { streamsOf } from "../../domain/rules.ts";
import { outputOf } from "../../library/output.ts";
import { lookMs, restMs } from "../../library/until-all.ts";
import type { JobFilter } from "../../store/jobs.ts";
import { openJobLog, piecesFrom } from "../../store/logs.ts";
import type { JobPage } from "../../store/matching.ts";
import type { Store } from "../../store/store.ts";
import { makeWakeup } from "../../worker/wakeup.ts";
import { tellGap, tellWhatIsMissing } from "../follow.ts";
import { type LabelledOutput, labelledOutputs } from "../labelled.ts";
import { beginnings } from "../last-lines.ts";
import { note } from "../output.ts";

export interface ManyLogs {
  readonly store: Store;
  readonly home: string;
  readonly jobs: readonly Job[];
  /** Only so many of the last lines of each stream; all without. */
  readonly lines: number | undefined;
}

/** Shows what each has printed, one job after another: its newest attempt, or the one asked for. */
export async function showMany(
  { store, home, jobs, lines }: ManyLogs,
  wanted: number | undefined,
): Promise<void> {
  const outputs = labelledOutputs(jobs.map(({ id }) => id));
  for (const [place, job] of jobs.entries()) {
    const { id, seq, state, rules } = job;
    const attempts = await store.jobs.attempts(seq);
    const attempt = attempts.find(({ number }) => number === (wanted ?? attempts.length));
    if (!attempt) {
      note(
        `job ${id} ${wanted === undefined ? `has not run yet; it is ${state}` : `has no attempt ${wanted}`}`,
      );
      continue;
    }
    const output = outputs(place);
    const begin = await beginnings({ store, home }, job, attempt.number, lines);
    for (const stream of streamsOf(rules)) {
      using log = openJobLog({ store, home }, seq, attempt.number, stream);
      let at = begin[stream];
      for await (const { start, bytes } of log ? piecesFrom(log, at) : []) {
        if (start > at) await tellSkipped(output, { from: at, to: start }, id);
        at = start + bytes.length;
        if (!(await output.print(bytes))) return;
      }
      if (!(await output.end())) return;
    }
    tellWhatIsMissing({ store, home }, job, attempt, id);
  }
}

async function tellSkipped(output: LabelledOutput, gap: Gap, id: string): Promise<void> {
  await output.end();
  tellGap(gap, id);
}

/** The jobs of a filter that are not settled, in the order of their enqueuing. */
export async function unsettledJobs(store: Store, filter: JobFilter, isRunning: boolean): Promise<Job[]> {
  const states: readonly JobState[] = isRunning ? ["processing"] : unsettledStates;
  const found = new Map<number, Job>();
  for (const state of states) {
    for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
      const page: JobPage = await store.matching.page(
        { ...filter, state },
        { before, limit: 500, scan: 2000 },
      );
      for (const job of page.jobs) found.set(job.seq, job);
      before = page.older;
    }
  }
  return [...found.values()].sort((a, b) => a.seq - b.seq);
}

/** Attempts that are read at once. */
const mostOpen = 64;

interface Followed {
  readonly job: Job;
  readonly place: number;
  readonly first: number;
  /** The attempt that is shown, or comes next. */
  next: number;
  isOver: boolean;
}

/** Shows what they print from now on, and what runs from its beginning, until all are settled. */
export async function followMany({ store, home, jobs, lines }: ManyLogs): Promise<void> {
  const outputs = labelledOutputs(jobs.map(({ id }) => id));
  const stop = new AbortController();
  const wakeup = makeWakeup();
  using _watch = store.watch(wakeup.wake);
  const shown = new Map<Followed, Promise<void>>();
  let fault: unknown;
  let left = await Promise.all(jobs.map((job, place) => beginning(store, job, place)));

  async function show(one: Followed): Promise<void> {
    const { job, next, first } = one;
    const output = outputs(one.place);
    const start = await beginnings({ store, home }, job, next, next === first ? lines : undefined);
    const steps = outputOf({ store, home, job, from: next, start, onwards: false, signal: stop.signal });
    let isTold = next === first;
    for (;;) {
      const { done, value } = await steps.next();
      if (done) {
        one.isOver = one.next === next && isSettled(value.state);
        return;
      }
      if (value.kind === "ended") {
        await output.end();
        tellWhatIsMissing({ store, home }, job, value.attempt, job.id);
        one.next++;
        continue;
      }
      if (!isTold) note(`${job.id}: attempt ${next}`);
      isTold = true;
      if (value.gap) await tellSkipped(output, value.gap, job.id);
      if (await output.print(value.bytes)) continue;
      // Nobody reads any more.
      stop.abort();
      return void (await steps.return(job));
    }
  }

  function onTrouble(one: Followed, error: unknown): void {
    if (error instanceof Refusal && error.kind === "not_found") {
      isDeleted(one);
    } else {
      fault ??= error;
      stop.abort();
    }
  }

  async function showWhatRuns(): Promise<void> {
    const idle = left.filter((one) => !shown.has(one));
    const states = await store.jobs.states(idle.map(({ job }) => job.seq));
    for (const one of idle) {
      const state = states.get(one.job.seq);
      if (state === undefined) {
        isDeleted(one);
        continue;
      }
      const hasOutput = state === "processing" || isSettled(state);
      if (!hasOutput || shown.size >= mostOpen) continue;
      const showing = show(one)
        .catch((error) => onTrouble(one, error))
        .finally(() => {
          shown.delete(one);
          wakeup.wake();
        });
      shown.set(one, showing);
    }
  }

  while (left.length > 0 && !stop.signal.aborted) {
    await showWhatRuns();
    await wakeup.wait(lookMs);
    await Bun.sleep(restMs);
    left = left.filter(({ isOver }) => !isOver);
  }
  await Promise.all(shown.values());
  if (fault !== undefined) throw fault;
}

function isDeleted(one: Followed): void {
  note(`job ${one.job.id} was deleted`);
  one.isOver = true;
}

async function beginning(store: Store, job: Job, place: number): Promise<Followed> {
  const first = await firstShown(store, job);
  return { job, place, first, next: first, isOver: false };
}

/** Of a job that waits its next attempt, of any other its newest. */
async function firstShown(store: Store, { seq, id, started_at }: Job): Promise<number> {
  if (started_at === null) return 1;
  const newest = async () => (await store.jobs.attempts(seq)).length;
  // The order matters: an attempt that begins meanwhile must not count as one that is past.
  const past = await newest();
  const { state } = await store.jobs.find(id);
  return state === "pending" || state === "failed" ? past + 1 : Math.max(1, await newest());
}
