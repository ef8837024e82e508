// One change to all jobs that match, in steps short enough that workers hardly wait.

import type { JobFilter } from "../store/jobs.ts";
import type { ChangedJobs, JobChange } from "../store/matching.ts";
import type { Store } from "../store/store.ts";
import { removeJobLogs } from "../worker/job-logs.ts";

/** Jobs changed in one transaction: more would keep workers waiting. */
const batch = 1000;

interface Place {
  readonly store: Store;
  readonly home: string;
}

/**
 * Returns how many it was done to; what is deleted loses its logs, too. What comes to match meanwhile is not meant: a job that dies
 * again at once would go round for ever.
 */
export async function changeMatching(place: Place, change: JobChange, filter: JobFilter): Promise<number> {
  const { matching } = place.store;
  let before: number | undefined = (await matching.newest()) + 1;
  let changed = 0;
  while (before !== undefined) {
    const some: ChangedJobs = await matching.change(change, filter, { limit: batch, before });
    removeJobLogs(place, some.removed);
    changed += some.changed;
    before = some.older;
  }
  return changed;
}
