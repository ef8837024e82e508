// queuectl cancel: stop jobs that wait or run.

import { formatDuration } from "../../domain/duration.ts";
import type { Job } from "../../domain/job.ts";
import { untilAll } from "../../library/until-all.ts";
import type { Store } from "../../store/store.ts";
import { version } from "../../version.ts";
import { every } from "../../worker/duty.ts";
import { type ProcessState, processStates } from "../../worker/liveness.ts";
import { endCancelled } from "../../worker/rescuer.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { hint, note } from "../output.ts";

export const commands: Commands = {
  cancel: { flags: [["--wait", "Return when they have ended"]], run: cancel },
};

/** How often to look whether somebody is there to end what is waited for. */
const lookMs = 1_000;

async function cancel(
  context: Context,
  words: readonly string[],
  options: { wait?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const found = await findJobs(store, words);
  const jobs = await store.jobs.cancel(found.map(({ seq }) => seq));
  const stillRunning = async () => {
    const now = await Promise.all(jobs.filter(isRunning).map(({ id }) => store.jobs.find(id)));
    return now.filter(isRunning);
  };
  const settings = await context.settings(store);
  const endAbandoned = async () =>
    endCancelled(store, await stillRunning(), { home: context.home, settings, version });

  await endAbandoned();
  const running = await stillRunning();
  for (const { id } of jobs.filter((job) => !running.some(({ seq }) => seq === job.seq)))
    hint(`job ${id} is cancelled`);
  if (running.length === 0) return done;
  await tellWhoEnds(store, running, options);
  if (!options.wait) return done;
  await using _end = every(lookMs, endAbandoned);
  await untilAll(store, running, (state) => state !== "processing");
  return done;
}

const isRunning = ({ state }: Job) => state === "processing";

async function tellWhoEnds(store: Store, jobs: readonly Job[], { wait }: { wait?: boolean }): Promise<void> {
  const processes = await processStates(store);
  const now = await store.now();
  for (const { id, worker_id } of jobs) {
    const process = processes.find(({ worker_ids }) => worker_ids.includes(worker_id ?? ""));
    const silence = process && silenceOf(process, now);
    if (silence) note(`job ${id} runs ${silence}${wait ? "" : "; --wait waits for it"}`);
    else if (!wait) note(`job ${id} is being ended${whereOf(process)}; --wait waits for it`);
  }
}

const whereOf = (process: ProcessState | undefined) =>
  process?.liveness === "elsewhere" ? ` on ${process.identity.host}` : "";

/** Said of a worker that cannot be seen and may be gone: it has missed two of its six heartbeats a lease. */
function silenceOf({ identity, heartbeat_at, lease_until, liveness }: ProcessState, now: number) {
  const silentMs = now - heartbeat_at;
  if (lease_until === null || liveness === "alive" || silentMs < (lease_until - heartbeat_at) / 3)
    return undefined;
  const inSeconds = (ms: number) => formatDuration(Math.max(0, Math.ceil(ms / 1000)));
  return `on ${identity.host}, which was last heard of ${inSeconds(silentMs)} ago: unless it comes back to end it, the next worker or queuectl cancel does, in ${inSeconds(lease_until - now)}`;
}
