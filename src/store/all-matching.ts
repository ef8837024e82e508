// All jobs that match, however many: counted, or changed, in steps short enough that workers hardly wait.

import type { JobFilter } from "./jobs.ts";
import type { ChangedJobs, JobChange } from "./matching.ts";
import type { Store } from "./store.ts";

/** Jobs looked at in one transaction: more would keep workers waiting. */
const batch = 500;

/**
 * What comes after the job `newest`, or comes to match behind a step, is not meant: a job that dies again at once would go round for
 * ever.
 */
export async function* changeInSteps(
  { matching }: Store,
  change: JobChange,
  filter: JobFilter,
  newest: number,
): AsyncGenerator<ChangedJobs> {
  let before: number | undefined = newest + 1;
  while (before !== undefined) {
    const step: ChangedJobs = await matching.change(change, filter, { limit: batch, before });
    yield step;
    before = step.older;
  }
}

/** Jobs looked at in one question. */
const counted = 5000;

/** How many match, up to the newest that is meant. */
export async function countAll(store: Store, filter: JobFilter, newest: number): Promise<number> {
  const first = await store.matching.page(filter, { limit: 1, scan: 1 });
  if (first.total !== undefined) return first.total;
  let jobs = 0;
  let before: number | undefined = newest + 1;
  while (before !== undefined) {
    const some: Awaited<ReturnType<Store["matching"]["count"]>> = await store.matching.count(filter, {
      limit: counted,
      before,
    });
    jobs += some.jobs;
    before = some.older;
    await Bun.sleep(0);
  }
  return jobs;
}
