// What pages and the API read of the queue, put together; shared among all who ask at the same time.

import { grouped } from "../../views/parts/amount.ts";
import type { Job } from "../domain/job.ts";
import { groupDeaths, type Overview, type QueueCounts, type Span } from "../domain/overview.ts";
import { allQueues, type Queue } from "../domain/queue.ts";
import { serves, type Worker } from "../domain/worker.ts";
import type { JobFilter } from "../store/jobs.ts";
import type { JobPage } from "../store/matching.ts";
import { noSuchJob } from "../store/refusals.ts";
import type { Web } from "./web.ts";

/** Dead jobs looked at to group them. */
const deathsRead = 100;

/** Jobs looked at for one page of a search. */
export const scan = 400;

const pageSize = 50;

/** Those whose names come after one, as many as a page shows; the next page begins after `next`. */
export function pageByName<T>(every: readonly T[], nameOf: (one: T) => string, after = "") {
  const rest = every
    .filter((one) => nameOf(one) > after)
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const rows = rest.slice(0, pageSize);
  const next = rest.length > rows.length ? nameOf(rows.at(-1)!) : undefined;
  return { rows, paging: { next, isLater: after !== "", total: every.length } };
}

export const stats = (web: Web) => web.shared("stats", () => web.store.stats.read());

export const workers = (web: Web) => web.shared("workers", () => web.processes.workers());

export const queues = (web: Web) =>
  web.shared("queues", async () => allQueues(await web.store.stats.queues(), await web.store.queues.rules()));

/** Queues that a form offers to choose from: all of them would weigh on every page, and be a long way to scroll. */
const mostOffered = 100;

export const offeredQueues = async (web: Web) =>
  (await queues(web)).slice(0, mostOffered).map(({ queue }) => queue);

export const overview = (web: Web, span: Span) =>
  web.shared(`overview ${span}`, async (): Promise<Overview> => {
    const [counts, all, perQueue] = await Promise.all([stats(web), workers(web), queues(web)]);
    const [throughput, p95_duration, dead] = await Promise.all([
      web.store.stats.throughput(span),
      web.store.stats.durationUnder(0.95),
      web.store.matching.page({ state: "dead" }, { limit: deathsRead, scan }),
    ]);
    const living = all.filter(({ state }) => state !== "dead");
    const waiting = perQueue.flatMap(({ oldest_waiting_at }) => oldest_waiting_at ?? []);
    return {
      stats: { ...counts, active_workers: living.length },
      busy_workers: living.filter(({ job_id }) => job_id !== null).length,
      p95_duration,
      oldest_waiting_at: waiting.length === 0 ? null : Math.min(...waiting),
      throughput,
      deaths: groupDeaths(dead.jobs),
      more_deaths: dead.older !== undefined,
      unserved: perQueue.filter((queue) => isUnserved(queue, all)),
      dead_workers: all.filter(({ state }) => state === "dead").map(({ id }) => id),
    };
  });

/** How many workers serve a queue. */
export const servers = ({ queue }: Pick<QueueCounts, "queue">, all: readonly Worker[]) =>
  all.filter((worker) => serves(worker, queue)).length;

/** Whether a queue has jobs to run and nobody to run them, and nobody meant it so. */
export const isUnserved = (queue: Queue, all: readonly Worker[]) =>
  queue.paused_at === null && queue.pending + queue.failed > 0 && servers(queue, all) === 0;

export const jobPage = (web: Web, filter: JobFilter, before: number | undefined, limit = pageSize) =>
  web.shared(`jobs ${JSON.stringify([filter, before, limit])}`, () =>
    web.store.matching.page(filter, { before, limit, scan }),
  );

/** What stands below a list of jobs: the way to the other pages, and how far a search looked when not through everything. */
export function belowList({ jobs, older, total }: JobPage, before: number | undefined, what: string) {
  const isPartly = total === undefined && older !== undefined && jobs.length < pageSize;
  const looked = `${grouped(scan)} ${what} were looked through; Older looks on from there.`;
  return {
    paging: { older, isLater: before !== undefined, shown: jobs.length, total },
    looked: isPartly ? looked : undefined,
  };
}

/** Jobs that come after one and are shown with it. */
export const mostRelatives = 100;

/** The job that a form was shown for. When it is gone, its id may be the beginning of another one's, which is not meant. */
export async function jobShown(web: Web, id: string): Promise<Job> {
  const job = await web.store.jobs.find(id);
  if (job.id === id) return job;
  throw noSuchJob(id);
}
