// queuectl worker stop: ask workers to go.

import { hostname } from "node:os";
import { misuse } from "../../domain/errors.ts";
import type { WorkerProcess } from "../../domain/worker.ts";
import { livenessOf } from "../../runner/process-identity.ts";
import type { Store } from "../../store/store.ts";
import { makeWakeup } from "../../worker/wakeup.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findWorker } from "../find-worker.ts";
import { note } from "../output.ts";
import { seconds } from "../values.ts";

interface StopOptions {
  readonly id?: string;
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
  if (options.force && options.leaveRunning)
    throw misuse("--force ends the jobs and --leave-running keeps them: give one");
  if (options.id !== undefined && options.leaveRunning) {
    throw misuse("--leave-running is for whole worker processes; leave out --id");
  }
  await using store = await context.openStore();
  const living = await livingWorkers(store);
  const ids = options.id === undefined ? living : [findWorker(options.id, living)];
  if (ids.length === 0) note("no worker runs here");
  await store.workers.stop(ids, options.force ? "release" : options.leaveRunning ? "leave" : "finish");
  if (!options.wait) return done;

  const left = await untilGone(store, ids, limit);
  if (left.length === 0) return done;
  const workers = (await store.workers.list()).filter(({ id }) => left.includes(id));
  const running = workers.map(({ id, job_id }) => (job_id === null ? id : `${id} (runs ${job_id})`));
  note(`queuectl: still there: ${running.join(", ")} (nothing was killed; --force gives the jobs back)`);
  return notDone;
}

/** The ids of this machine's workers whose process lives. */
async function livingWorkers(store: Store): Promise<string[]> {
  const isOurs = ({ identity }: WorkerProcess) =>
    identity.host === hostname() && livenessOf(identity) !== "dead";
  return (await store.workers.processes()).filter(isOurs).flatMap(({ worker_ids }) => worker_ids);
}

async function untilGone(store: Store, ids: readonly string[], limit: number): Promise<readonly string[]> {
  const wakeup = makeWakeup();
  using _watch = store.watch(wakeup.wake);
  const deadline = performance.now() + limit * 1000;
  for (;;) {
    const living = await livingWorkers(store);
    const left = ids.filter((id) => living.includes(id));
    const leftMs = deadline - performance.now();
    if (left.length === 0 || leftMs <= 0) return left;
    await wakeup.wait(Math.min(lookMs, leftMs));
  }
}
