// One change to all jobs that match, in steps short enough that workers hardly wait.

import type { JobFilter } from "../store/jobs.ts";
import type { ChangedJobs, JobChange } from "../store/matching.ts";
import type { Store } from "../store/store.ts";

/** Jobs changed in one transaction: more would keep workers waiting. */
const batch = 1000;

/** Returns how many it was done to. What comes to match meanwhile is not meant: a job that dies again at once would go round for ever. */
export async function changeMatching(store: Store, change: JobChange, filter: JobFilter): Promise<number> {
  let before: number | undefined = (await store.matching.newest()) + 1;
  let changed = 0;
  while (before !== undefined) {
    const some: ChangedJobs = await store.matching.change(change, filter, { limit: batch, before });
    changed += some.changed;
    before = some.older;
  }
  return changed;
}
