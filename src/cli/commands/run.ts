// queuectl run: enqueue a job, be its worker, and show its output as it comes.

import type { Attempt, AttemptResult } from "../../domain/attempt.ts";
import { misuse, Refusal } from "../../domain/errors.ts";
import { isSettled, isWaiting, type Job } from "../../domain/job.ts";
import { keptBy } from "../../domain/why.ts";
import { newWorkerId } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { whyFacts } from "../../store/why.ts";
import { version } from "../../version.ts";
import { eventLine, type SettledEvent, type WorkerEvent } from "../../worker/events.ts";
import { workersAsSeen } from "../../worker/liveness.ts";
import { startPool } from "../../worker/pool.ts";
import { onStopSignals } from "../../worker/shutdown.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { statusOfJob } from "../exit-status.ts";
import { followJob } from "../follow.ts";
import { type JobOptions, jobFlags } from "../job-options.ts";
import { note } from "../output.ts";
import { patientStore } from "../patient-store.ts";
import { complete, readRequest } from "./enqueue.ts";

export const commands: Commands = {
  run: { usage: "run '<command>' | -- <word…> [options]", flags: jobFlags, run: run },
};

async function run(context: Context, words: readonly string[], options: JobOptions): Promise<number> {
  const request = await readRequest(words, options);
  if (request.held)
    throw misuse(
      "what run runs is not held",
      "queuectl enqueue --hold stores it, and queuectl release lets it run",
    );
  await using store = await context.openStore();
  const newJob = await complete(context, store, options, request);

  const stored = Promise.withResolvers<Job>();
  /** Ends that are not told yet, by attempt; of one that another worker ran nothing is heard. */
  const heard = new Map<number, SettledEvent>();
  const pool = startPool({
    store,
    home: context.home,
    version,
    environment: context.environment,
    worker_ids: [newWorkerId()],
    queues: [newJob.queue],
    until: { job: newJob, onStored: stored.resolve },
    poll: undefined,
    tell(event) {
      if (event.kind === "settled") heard.set(event.attempt, event);
      else stored.promise.then((job) => tell(store, job, event), ignore);
    },
  });
  pool.done.catch(stored.reject);
  const job = await stored.promise;
  let isKilled = false;
  using _signals = onStopSignals((order) => {
    if (order === "finish") {
      note(`queuectl: cancelling ${job.id}; once more forces`);
      store.jobs.cancel([job.seq]).then(pool.look, tellRefusal);
      return;
    }
    pool.kill();
    // What does not end by that waits for the database.
    if (isKilled) pool.stop("release");
    isKilled = true;
  });
  /** How the last attempt ended whose end was told. */
  let told: AttemptResult | null = null;
  let goesOn: NodeJS.Timeout | undefined;
  let isUnshown = false;
  const over = new AbortController();
  pool.done.catch(() => over.abort());
  // Whoever runs it, this process or, from its first wait on, an idle worker: its output is in the same log.
  const [followed] = await Promise.all([
    followJob({
      // The pool tells of trouble.
      store: patientStore(store, { signal: over.signal }),
      home: context.home,
      job,
      from: 1,
      onwards: true,
      async onShown(attempt) {
        told = attempt.result;
        const event = heard.get(attempt.number);
        heard.delete(attempt.number);
        tellEnd(event ? endLine(event) : await endElsewhere(store, job, attempt));
      },
    }).then(
      (followed) => {
        if (!isSettled(followed.state)) goesOn = setTimeout(tellUnread, unreadMs, job.id);
        return followed;
      },
      (error) => {
        if (over.signal.aborted) throw error;
        isUnshown = true;
        // That somebody deleted it is told in the end.
        if (error instanceof Refusal && error.kind === "not_found") return job;
        // What cannot be shown, as on a full disk, is done all the same: nobody else would see to its end.
        tellRefusal(error);
        goesOn = setTimeout(note, unreadMs, `queuectl: job ${job.id} goes on, and Ctrl-C cancels it`);
        return job;
      },
    ),
    pool.done,
  ]).finally(() => clearTimeout(goesOn));
  // Nobody may have read its output to the end.
  const settled = isSettled(followed.state) ? followed : await store.jobs.find(job.id);
  for (const event of heard.values()) tellEnd(endLine(event));
  if (settled.state === "cancelled" && told !== "cancelled") note(`queuectl: job ${job.id} was cancelled`);
  return statusOfJob(settled) || Number(isUnshown);
}

const ignore = () => {};

/** What ends this soon after its reader need not be told of. */
const unreadMs = 1000;

const tellUnread = (id: string) =>
  note(`queuectl: nobody reads the output any more; job ${id} goes on, and Ctrl-C cancels it`);

function tellRefusal(error: unknown): void {
  if (!(error instanceof Refusal)) throw error;
  note(`queuectl: ${error.message}`);
}

function tellEnd(line: string | null): void {
  if (line !== null) note(`queuectl: ${line}`);
}

/** Null when it is nothing that somebody who watches the output would miss. */
const endLine = (event: SettledEvent) =>
  event.job.state === "completed" ? event.ending.note : eventLine(event);

/** Of an attempt that another worker ran. */
async function endElsewhere(store: Store, { id }: Job, attempt: Attempt): Promise<string | null> {
  const { job, attempts } = await store.jobs.history(id);
  if (attempts.length > attempt.number) return `job ${id} runs again (${attempt.error ?? attempt.result})`;
  const { worker_id, number } = attempt;
  const ending = { ...attempt, result: attempt.result!, duration: attempt.duration ?? 0 };
  return endLine({ kind: "settled", worker_id, attempt: number, job, ending });
}

function tell(store: Store, job: Job, event: WorkerEvent): void {
  switch (event.kind) {
    case "waiting":
      if (event.until !== null && event.until === job.next_run_at) note(`queuectl: ${eventLine(event)}`);
      else void tellWhatKeeps(store, job.id);
      return;
    case "trouble":
    case "trouble_over":
    case "hindrance":
    case "hindrance_over":
    case "unsettled":
      note(`queuectl: ${eventLine(event)}`);
      return;
    default:
      return;
  }
}

/** A limit, or another job with its key. */
async function tellWhatKeeps(store: Store, id: string): Promise<void> {
  try {
    const job = await store.jobs.find(id);
    const keeper = isWaiting(job.state)
      ? keptBy(job, await whyFacts(store, job, await workersAsSeen(store)))
      : null;
    if (keeper !== null) note(`queuectl: job ${id} ${keeper}`);
  } catch {
    // Trouble with the database is told by the worker.
  }
}
