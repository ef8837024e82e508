// Counts are kept, not counted: each transaction gathers what it changes, and writes it once however many rows it touched.

import type { Job, JobState } from "../domain/job.ts";

export interface CountChange {
  readonly queue: string;
  readonly state: JobState;
  readonly jobs: number;
  /** Milliseconds of the jobs' last attempts. */
  readonly ms: number;
}

type Counted = Pick<Job, "queue" | "state" | "last_duration">;

export interface GatheredCounts {
  /** A job is now in a state, or (-1) no longer is. */
  add(job: Counted, sign: 1 | -1): void;
  /** Any number of jobs that never ran. */
  addMany(queue: string, state: JobState, jobs: number): void;
  /** A job went from one state to another. */
  move(from: Counted, to: Counted): void;
  /** What there is to write. */
  changes(): CountChange[];
}

export function gatherCounts(): GatheredCounts {
  const gathered = new Map<string, CountChange>();

  const change = (queue: string, state: JobState, jobs: number, ms: number) => {
    const key = `${state} ${queue}`;
    const before = gathered.get(key);
    gathered.set(key, { queue, state, jobs: (before?.jobs ?? 0) + jobs, ms: (before?.ms ?? 0) + ms });
  };
  const add = ({ queue, state, last_duration }: Counted, sign: 1 | -1) =>
    change(queue, state, sign, sign * Math.round((last_duration ?? 0) * 1000));

  return {
    add,
    addMany: (queue, state, jobs) => change(queue, state, jobs, 0),
    move(from, to) {
      add(from, -1);
      add(to, 1);
    },
    changes: () => [...gathered.values()].filter(({ jobs, ms }) => jobs !== 0 || ms !== 0),
  };
}
