// One change to all jobs that match, however many, in steps short enough that workers hardly wait.

import type { JobFilter } from "./jobs.ts";
import type { ChangedJobs, JobChange } from "./matching.ts";
import type { Store } from "./store.ts";

/** Jobs looked at in one transaction: more would keep workers waiting. */
const batch = 500;

/** What comes after the job `newest`, or comes to match behind a step, is not meant: a job that dies again at once would go round for ever. */
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
