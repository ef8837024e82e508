// What has to be known to say why a job does not run.

import type { Job } from "../domain/job.ts";
import { paceOf, type WhyFacts } from "../domain/why.ts";
import { serves, type Worker } from "../domain/worker.ts";
import type { Store } from "./store.ts";

/** Running jobs among which the one with its key is looked for. */
const mostRunning = 1000;

/** `workers`: all that there are; those whose process is dead say so, which the store does not know. */
export async function whyFacts(store: Store, job: Job, workers: readonly Worker[]): Promise<WhyFacts> {
  const { queue, key } = job;
  const now = await store.now();
  const { after } = await store.jobs.relatives(job.seq, 0);
  const rules = (await store.queues.rules()).find((one) => one.queue === queue);
  const counts = (await store.stats.queues()).find((one) => one.queue === queue);
  const { buckets } = await store.stats.throughput("hour");
  return {
    now,
    parents: after.filter(({ waits }) => waits),
    rules,
    running: counts?.processing ?? 0,
    waiting: (counts?.pending ?? 0) + (counts?.failed ?? 0),
    holder: key === null ? undefined : await holderOf(store, key),
    isOrphan: await isOrphan(store, job, workers),
    workers: workers.filter((worker) => serves(worker, queue)).length,
    perSecond: paceOf(buckets, now),
  };
}

/** The running job with this key. */
async function holderOf({ matching }: Store, key: string): Promise<string | undefined> {
  const { jobs } = await matching.page({ state: "processing" }, { limit: mostRunning, scan: mostRunning });
  return jobs.find((job) => job.key === key)?.id;
}

/** Whether the process is gone of the worker that has a job. In a copy of the queue not even the worker is there. */
export async function isOrphan(
  store: Store,
  { id, worker_id }: Job,
  workers: readonly Worker[],
): Promise<boolean> {
  if (worker_id === null) return false;
  const among = (all: readonly Worker[]) => all.find((worker) => worker.id === worker_id);
  const worker = among(workers);
  if (worker) return worker.state === "dead";
  // It may have come after the list was made, or have gone since, with its job done.
  return !among(await store.workers.list()) && (await store.jobs.find(id)).worker_id === worker_id;
}
