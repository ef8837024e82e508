// queuectl run: enqueue a job, be its worker, and show its output as it comes.

import { misuse } from "../../domain/errors.ts";
import { isWaiting, type Job } from "../../domain/job.ts";
import { keptBy } from "../../domain/why.ts";
import { newWorkerId } from "../../store/rows.ts";
import type { Store } from "../../store/store.ts";
import { whyFacts } from "../../store/why.ts";
import { version } from "../../version.ts";
import { eventLine, type WorkerEvent } from "../../worker/events.ts";
import { startPool } from "../../worker/pool.ts";
import { onStopSignals } from "../../worker/shutdown.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { statusOfJob } from "../exit-status.ts";
import { followJob } from "../follow.ts";
import { type JobOptions, jobFlags } from "../job-options.ts";
import { note } from "../output.ts";
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
  const job = await store.jobs.enqueue(await complete(context, store, options, request));

  const told = behindOutput((event) => tell(store, job, event));
  const pool = startPool({
    store,
    home: context.home,
    version,
    environment: context.environment,
    worker_ids: [newWorkerId()],
    queues: [job.queue],
    until: { seq: job.seq, id: job.id },
    poll: undefined,
    tell: told.hear,
  });
  using _signals = onStopSignals((order) => {
    if (order === "release") return pool.kill();
    note(`queuectl: cancelling ${job.id}; once more forces`);
    store.jobs.cancel([job.seq]).then(pool.look, () => {});
  });
  // Whoever runs it, an idle worker that was first or this process, its output is in the same log.
  const [settled] = await Promise.all([
    followJob({ store, home: context.home, job, from: 1, onwards: true, onShown: told.shown }),
    pool.done,
  ]);
  told.all();
  return statusOfJob(settled);
}

/** Tells how an attempt ended when all that it printed is shown; other events at once. */
function behindOutput(say: (event: WorkerEvent) => void) {
  const waiting: WorkerEvent[] = [];
  /** Attempts that are shown whole and of whose end nothing was heard yet: another worker may have run them. */
  let ahead = 0;
  return {
    hear(event: WorkerEvent) {
      if (event.kind !== "settled") return say(event);
      if (ahead === 0) return void waiting.push(event);
      ahead -= 1;
      say(event);
    },
    shown() {
      const event = waiting.shift();
      if (event === undefined) ahead += 1;
      else say(event);
    },
    all: () => waiting.splice(0).forEach(say),
  };
}

/** Only what somebody who watches the output would miss. */
function tell(store: Store, job: Job, event: WorkerEvent): void {
  switch (event.kind) {
    case "settled":
      if (event.job.state !== "completed") note(`queuectl: ${eventLine(event)}`);
      else if (event.ending.note !== null) note(`queuectl: ${event.ending.note}`);
      return;
    case "waiting":
      if (event.until !== null && event.until === job.next_run_at) note(`queuectl: ${eventLine(event)}`);
      else void tellWhatKeeps(store, job.id);
      return;
    case "trouble":
    case "trouble_over":
    case "hindrance":
    case "hindrance_over":
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
    const keeper = isWaiting(job.state) ? keptBy(job, await whyFacts(store, job)) : null;
    if (keeper !== null) note(`queuectl: job ${id} ${keeper}`);
  } catch {
    // Trouble with the database is told by the worker.
  }
}
