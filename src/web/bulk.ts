// What is done to all that match: in steps short enough that workers hardly wait, each job at most once.

import type { JobChange, JobFilter, Store } from "../store/store.ts";
import type { Web } from "./web.ts";

/** Jobs changed in one transaction: more would keep workers waiting. */
const batch = 500;

export interface BulkResult {
  readonly changed: number;
  readonly left: number;
}

/** Changes all that match, up to the job that was the newest when it was asked for. */
export async function changeAll(
  web: Web,
  change: JobChange,
  filter: JobFilter,
  newest: number,
): Promise<BulkResult> {
  let changed = 0;
  let left = 0;
  let before: number | undefined = newest + 1;
  while (before !== undefined && !web.stopping.aborted) {
    const some: Awaited<ReturnType<Store["matching"]["change"]>> = await web.store.matching.change(
      change,
      filter,
      { limit: batch, before },
    );
    web.processes.removeLogs(some.removed);
    changed += some.changed;
    left += some.left;
    before = some.older;
    await Bun.sleep(0);
  }
  if (change === "cancel") {
    const { jobs } = await web.store.matching.page(
      { ...filter, state: "processing" },
      { limit: batch, scan: batch },
    );
    await web.processes.endCancelled(jobs);
  }
  return { changed, left };
}

/** How many match, up to the newest that is meant. */
export async function countAll(store: Store, filter: JobFilter, newest: number): Promise<number> {
  const first = await store.matching.page(filter, { limit: 1, scan: 1 });
  if (first.total !== undefined) return first.total;
  let jobs = 0;
  let before: number | undefined = newest + 1;
  while (before !== undefined) {
    const some: Awaited<ReturnType<Store["matching"]["count"]>> = await store.matching.count(filter, {
      limit: 5000,
      before,
    });
    jobs += some.jobs;
    before = some.older;
    await Bun.sleep(0);
  }
  return jobs;
}
