// queuectl wait: return when jobs are settled.

import { isSettled, type Job } from "../../domain/job.ts";
import type { Store } from "../../store/store.ts";
import { makeWakeup } from "../../worker/wakeup.ts";
import type { Context } from "../context.ts";
import { done, statusOfJob, timedOut } from "../exit-status.ts";
import { note } from "../output.ts";
import { seconds } from "../values.ts";

/** How often to look when nothing is heard. */
const lookMs = 500;

export async function wait(
  context: Context,
  words: readonly string[],
  options: { timeout?: string },
): Promise<number> {
  const limit = options.timeout === undefined ? undefined : seconds("timeout", options.timeout);
  await using store = await context.openStore();
  const jobs: Job[] = [];
  for (const word of words) jobs.push(await store.jobs.find(word));
  const settled = await untilAll(store, jobs, isSettledJob, limit);
  if (!settled) {
    note("queuectl: the time is up and not all jobs are settled");
    return timedOut;
  }
  for (const job of settled) {
    const status = statusOfJob(job);
    if (status !== done) return status;
  }
  return done;
}

const isSettledJob = (job: Job) => isSettled(job.state);

/** The jobs as they are once each is what it should be; undefined when `limit` seconds have passed before. */
export async function untilAll(
  store: Store,
  jobs: readonly Job[],
  isEnough: (job: Job) => boolean,
  limit?: number,
): Promise<readonly Job[] | undefined> {
  const wakeup = makeWakeup();
  using _watch = store.watch(wakeup.wake);
  const deadline = limit === undefined ? Number.POSITIVE_INFINITY : performance.now() + limit * 1000;
  const found = new Map<number, Job>();
  for (;;) {
    for (const { seq, id } of jobs) {
      if (found.has(seq)) continue;
      const job = await store.jobs.find(id);
      if (isEnough(job)) found.set(seq, job);
    }
    if (jobs.every(({ seq }) => found.has(seq))) return jobs.map(({ seq }) => found.get(seq)!);
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return undefined;
    await wakeup.wait(Math.min(lookMs, leftMs));
  }
}
