// queuectl worker stop: ask workers to go.

import { misuse } from "../../domain/errors.ts";
import type { StopOrder } from "../../domain/worker.ts";
import type { Store } from "../../store/store.ts";
import { isLiving, isSuspended, processStates, workersOf } from "../../worker/liveness.ts";
import { makeWakeup } from "../../worker/wakeup.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findWorker } from "../find-worker.ts";
import { note } from "../output.ts";
import { seconds } from "../values.ts";

export const commands: Commands = {
  "worker stop": {
    flags: [
      ["--id <worker>", "Only this worker, on whichever machine"],
      ["--all-hosts", "Those of all machines"],
      ["--wait", "Return when they are gone"],
      ["--timeout <duration>", "How long --wait waits; 10 s by default"],
      ["--force", "End their jobs and give them back to the queue"],
      [
        "--leave-running",
        "Go at once and leave their commands running for the next worker, also a newer version",
      ],
    ],
    run: workerStop,
  },
};

interface StopOptions {
  readonly id?: string;
  readonly allHosts?: boolean;
  readonly wait?: boolean;
  readonly timeout?: string;
  readonly force?: boolean;
  readonly leaveRunning?: boolean;
}

/** How often to look whether they are gone when nothing is heard. */
const lookMs = 200;

export async function workerStop(
  context: Context,
  _words: readonly string[],
  options: StopOptions,
): Promise<number> {
  const limit = options.timeout === undefined ? 10 : seconds("timeout", options.timeout);
  if (options.timeout !== undefined && !options.wait)
    throw misuse("--timeout says how long --wait waits: give both");
  if (options.force && options.leaveRunning)
    throw misuse("--force ends the jobs and --leave-running keeps them: give one");
  if (options.id !== undefined && options.leaveRunning) {
    throw misuse("--leave-running is for whole worker processes; leave out --id");
  }
  if (options.id !== undefined && options.allHosts)
    throw misuse("--id names one worker and --all-hosts all: give one");
  await using store = await context.openStore();
  const ids = await workersToStop(store, options);
  if (ids.length === 0) return done;
  const order = options.force ? "release" : options.leaveRunning ? "leave" : "finish";
  await store.workers.stop(ids, order);
  if (!options.wait) {
    note(`${workersAre(ids)} asked to ${asked(order, ids.length > 1)}`);
    return done;
  }

  const left = await untilGone(store, ids, limit);
  if (left.length === 0) {
    note(`${workersAre(ids)} gone`);
    return done;
  }
  const suspended = (await processStates(store)).find(
    (process) => isSuspended(process) && process.worker_ids.some((id) => left.includes(id)),
  );
  const workers = (await store.workers.list()).filter(({ id }) => left.includes(id));
  const running = workers.map(({ id, job_id }) => (job_id === null ? id : `${id} (runs ${job_id})`));
  const advice = suspended
    ? `the process of ${suspended.worker_ids[0]} is stopped; kill -CONT ${suspended.identity.pid} lets it go on`
    : options.force
      ? "they are asked to give their jobs back; queuectl worker logs tells what keeps them"
      : options.leaveRunning
        ? "they are asked to go; queuectl worker logs tells what keeps them"
        : "nothing was killed; --force gives the jobs back";
  note(`queuectl: still there: ${running.join(", ")} (${advice})`);
  return notDone;
}

/** Names so many; more are only counted. */
const mostNamed = 3;

function workersAre(ids: readonly string[]): string {
  if (ids.length === 1) return `${ids[0]} is`;
  return `${ids.length <= mostNamed ? ids.join(", ") : `${ids.length} workers`} are`;
}

function asked(order: StopOrder, several: boolean): string {
  const jobs = several ? "their jobs" : "its job";
  switch (order) {
    case "finish":
      return `go when ${jobs} ${several ? "are" : "is"} done; --wait returns then`;
    case "release":
      return `end ${jobs}, give ${several ? "them" : "it"} back and go`;
    case "leave":
      return `go and leave ${jobs} running`;
    default:
      return order satisfies never;
  }
}

/** A worker that is named may be anywhere; otherwise those of this machine are meant. */
async function workersToStop(store: Store, { id, allHosts }: StopOptions): Promise<string[]> {
  const living = (await processStates(store)).filter(isLiving);
  if (id !== undefined) return [findWorker(id, workersOf(living))];
  const ids = workersOf(allHosts ? living : living.filter(({ liveness }) => liveness === "alive"));
  if (ids.length === 0)
    note(living.length === 0 ? "no worker runs" : "no worker runs here; --all-hosts stops those elsewhere");
  return ids;
}

async function untilGone(store: Store, ids: readonly string[], limit: number): Promise<readonly string[]> {
  const wakeup = makeWakeup();
  using _watch = store.watch(wakeup.wake);
  const deadline = performance.now() + limit * 1000;
  for (;;) {
    const living = new Set(workersOf((await processStates(store)).filter(isLiving)));
    const left = ids.filter((id) => living.has(id));
    const leftMs = deadline - performance.now();
    if (left.length === 0 || leftMs <= 0) return left;
    await wakeup.wait(Math.min(lookMs, leftMs));
  }
}
