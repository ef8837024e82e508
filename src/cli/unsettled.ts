// How many of the jobs that match a filter are not settled yet, asked again and again without a look at all of them each time.

import { type Job, type JobState, settledStates, unsettledStates } from "../domain/job.ts";
import type { JobPage } from "../store/matching.ts";
import type { Store } from "../store/store.ts";

/** The jobs meant: what is enqueued later is none of them. */
export interface Waited {
  readonly queue: string | undefined;
  readonly tag: string | undefined;
  /** Only jobs enqueued before the one with this number. */
  readonly before: number;
}

/** How many there are, about; 0 only when there is none. */
export type CountUnsettled = () => Promise<number>;

export function unsettledCounter(store: Store, waited: Waited): CountUnsettled {
  return waited.tag === undefined ? countByState(store, waited) : countByWindow(store, waited);
}

/** Counts are kept by queue and state, later jobs among them; that none of ours is left is then seen by looking for one. */
function countByState(store: Store, { queue, before }: Waited): CountUnsettled {
  const isAnyLeft = async () => {
    for (const state of unsettledStates) {
      const { jobs } = await store.matching.count({ state, queue }, { before, limit: 1 });
      if (jobs > 0) return true;
    }
    return false;
  };
  return async () => {
    const left = await store.stats.outstanding(queue === undefined ? null : [queue]);
    // Twice: between two questions a job may go from a state not asked for yet to one that was.
    return left > 0 && ((await isAnyLeft()) || (await isAnyLeft())) ? left : 0;
  };
}

/** Jobs of a tag that stand together. */
interface Stretch {
  /** Its first is the next one before this number. */
  readonly before: number;
  left: number;
}

/** Jobs with the tag in a stretch. */
const stretchLength = 1000;

/** Stretches with jobs left that one question looks at. */
const lookedAt = 10;

/**
 * Nothing is counted by tag. So the jobs are divided into stretches, each question looks at a few of them in turn, and one whose jobs are
 * all settled is done with.
 */
function countByWindow(store: Store, { queue, tag, before: end }: Waited): CountUnsettled {
  let stretches: Stretch[] | undefined;
  let next = 0;

  const leftIn = async (before: number) => {
    const span = { before, limit: stretchLength };
    const { jobs, older } = await store.matching.count({ queue, tag }, span);
    let left = jobs;
    // Not by counting the unsettled: between two questions one may go from state to state, and these stay what they are.
    for (const state of settledStates) left -= (await store.matching.count({ state, queue, tag }, span)).jobs;
    return { left: Math.max(0, left), older };
  };

  const divide = async () => {
    const found: Stretch[] = [];
    for (let before: number | undefined = end; before !== undefined; ) {
      const { left, older } = await leftIn(before);
      if (left > 0) found.push({ before, left });
      before = older;
    }
    // The oldest first, as they are run.
    return found.reverse();
  };

  return async () => {
    if (stretches === undefined) {
      stretches = await divide();
    } else {
      let looked = 0;
      while (looked < Math.min(lookedAt, stretches.length)) {
        next %= stretches.length;
        const stretch = stretches[next]!;
        stretch.left = (await leftIn(stretch.before)).left;
        if (stretch.left === 0) {
          stretches.splice(next, 1);
        } else {
          next++;
          looked++;
        }
      }
    }
    return stretches.reduce((sum, { left }) => sum + left, 0);
  };
}

/** The first that was enqueued of those that did not complete; undefined when there is none. */
export async function firstFailed(store: Store, waited: Waited): Promise<Job | undefined> {
  const dead = await oldest(store, "dead", waited);
  const cancelled = await oldest(store, "cancelled", waited);
  return dead && cancelled ? (dead.seq < cancelled.seq ? dead : cancelled) : (dead ?? cancelled);
}

async function oldest(store: Store, state: JobState, { before: end, ...filter }: Waited) {
  let found: Job | undefined;
  for (let before: number | undefined = end; before !== undefined; ) {
    const page: JobPage = await store.matching.page({ ...filter, state }, { before, limit: 500, scan: 2000 });
    found = page.jobs.at(-1) ?? found;
    before = page.older;
  }
  return found;
}
