// queuectl cancel: stop jobs that wait or run.

import { counted } from "../../domain/counted.ts";
import { formatDuration } from "../../domain/duration.ts";
import { type Job, unsettledStates } from "../../domain/job.ts";
import { untilAll } from "../../library/until-all.ts";
import type { Store } from "../../store/store.ts";
import { version } from "../../version.ts";
import { every } from "../../worker/duty.ts";
import { isSuspended, type ProcessState, processStates } from "../../worker/liveness.ts";
import { endCancelled } from "../../worker/rescuer.ts";
import { changeMatching, countMatching, jobsAre } from "../change-matching.ts";
import type { Commands } from "../command.ts";
import { confirmed, yesFlag } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { note } from "../output.ts";
import { isByFilter, type WhichOptions, whichFlags } from "../which-jobs.ts";

export const commands: Commands = {
  cancel: {
    usage: "cancel <id…> | --tag <tag> | --queue <name> | --all [options]",
    flags: [...whichFlags("All jobs that wait or run"), yesFlag, ["--wait", "Return when they have ended"]],
    run: cancel,
  },
};

interface CancelOptions extends WhichOptions {
  readonly wait?: boolean;
  readonly yes?: boolean;
}

/** How often to look whether somebody is there to end what is waited for. */
const lookMs = 1_000;

async function cancel(context: Context, words: readonly string[], options: CancelOptions): Promise<number> {
  const isFilter = isByFilter("cancel", words, options);
  await using store = await context.openStore();
  return isFilter
    ? await cancelMatching(context, store, options)
    : await cancelNamed(context, store, words, options);
}

async function cancelNamed(
  context: Context,
  store: Store,
  words: readonly string[],
  { wait = false }: CancelOptions,
): Promise<number> {
  const found = await findJobs(store, words);
  const jobs = await store.jobs.cancel(found.map(({ seq }) => seq));
  const left = await endAbandoned(context, store, jobs);
  for (const { id } of jobs.filter((job) => !left.running.some(({ seq }) => seq === job.seq)))
    note(`job ${id} is cancelled`);
  const others = await tellOfSilent(store, left.running, wait);
  for (const { id, process } of wait ? [] : others)
    note(`job ${id} is being ended${whereOf(process)}; --wait waits for it`);
  if (wait) await untilEnded(store, left);
  return done;
}

async function cancelMatching(
  context: Context,
  store: Store,
  { tag, queue, wait = false, yes = false }: CancelOptions,
): Promise<number> {
  const filter = { tag, queue };
  const count = await countMatching(store, filter, unsettledStates);
  if (count > 0 && !confirmed(`Cancel ${counted(count, "job")}?`, { yes })) {
    note("nothing was cancelled");
    return notDone;
  }
  const newest = await store.matching.newest();
  const { changed } = await changeMatching({ store, home: context.home }, "cancel", filter, newest);
  const meant = { ...filter, state: "processing" } as const;
  const { jobs } = await store.jobs.list(meant, { limit: 0, before: newest + 1 });
  const left = await endAbandoned(context, store, jobs);
  note(`${jobsAre(Math.max(0, changed - left.running.length))} cancelled`);
  const { length } = await tellOfSilent(store, left.running, wait);
  if (length > 0 && !wait)
    note(
      length === 1
        ? "1 job that runs is being ended; --wait waits for it"
        : `${length} jobs that run are being ended; --wait waits for them`,
    );
  if (wait) await untilEnded(store, left);
  return done;
}

interface Left {
  /** Cancelled, and still to be ended by their workers. */
  readonly running: readonly Job[];
  /** Ends those of them whose workers have died meanwhile. */
  readonly endAbandoned: () => Promise<void>;
}

/** Ends those of cancelled jobs that nobody else is there to end. */
async function endAbandoned(context: Context, store: Store, jobs: readonly Job[]): Promise<Left> {
  const settings = await context.settings(store);
  const stillRunning = async () => {
    const now = await Promise.all(jobs.filter(isRunning).map(({ id }) => store.jobs.find(id)));
    return now.filter(isRunning);
  };
  const again = async () =>
    endCancelled(store, await stillRunning(), { home: context.home, settings, version });
  await again();
  return { running: await stillRunning(), endAbandoned: again };
}

async function untilEnded(store: Store, left: Left): Promise<void> {
  if (left.running.length === 0) return;
  await using _end = every(lookMs, left.endAbandoned);
  await untilAll(store, left.running, (state) => state !== "processing");
}

const isRunning = ({ state }: Job) => state === "processing";

interface BeingEnded {
  readonly id: string;
  /** Whose worker ends it; undefined where it is not known any more. */
  readonly process: ProcessState | undefined;
}

/** Tells of jobs whose worker may be gone, or is stopped; returns the others. */
async function tellOfSilent(store: Store, jobs: readonly Job[], wait: boolean): Promise<BeingEnded[]> {
  if (jobs.length === 0) return [];
  const processes = await processStates(store);
  const now = await store.now();
  return jobs.flatMap(({ id, worker_id }) => {
    const process = processes.find(({ worker_ids }) => worker_ids.includes(worker_id ?? ""));
    const silence = process && silenceOf(process, now);
    if (!silence) return { id, process };
    note(`job ${id} runs ${silence}${wait ? "" : "; --wait waits for it"}`);
    return [];
  });
}

const whereOf = (process: ProcessState | undefined) =>
  process?.liveness === "elsewhere" ? ` on ${process.identity.host}` : "";

/** Said of a worker that is stopped, or cannot be seen and may be gone: it has missed two of its six heartbeats a lease. */
function silenceOf(process: ProcessState, now: number) {
  const { identity, heartbeat_at, lease_until, liveness } = process;
  if (isSuspended(process))
    return `by a worker whose process is stopped: kill -CONT ${identity.pid} lets it go on and end the job`;
  const silentMs = now - heartbeat_at;
  if (lease_until === null || liveness === "alive" || silentMs < (lease_until - heartbeat_at) / 3)
    return undefined;
  const inSeconds = (ms: number) => formatDuration(Math.max(0, Math.ceil(ms / 1000)));
  return `on ${identity.host}, which was last heard of ${inSeconds(silentMs)} ago: unless it comes back to end it, the next worker or queuectl cancel does, in ${inSeconds(lease_until - now)}`;
}
