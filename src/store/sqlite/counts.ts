// Counts are kept, not counted: each transaction gathers what it changes and writes it once, however many rows it touched.

import type { Job, JobState } from "../../domain/job.ts";
import type { Connection } from "./connection.ts";

export interface CountChanges {
  /** A job with this last duration (seconds) is now in a state, or (-1) no longer is. */
  add(queue: string, state: JobState, sign: 1 | -1, lastDuration: number | null): void;
  /** Any number of jobs that never ran. */
  addMany(queue: string, state: JobState, jobs: number): void;
  /** Writes what was gathered; inside the transaction that changed the jobs. */
  save(): void;
}

type Counted = Pick<Job, "queue" | "state" | "last_duration">;

export function countChanges({ sql }: Connection): CountChanges {
  const changes = new Map<string, { queue: string; state: JobState; jobs: number; ms: number }>();

  const change = (queue: string, state: JobState, jobs: number, ms: number) => {
    const key = `${state} ${queue}`;
    const entry = changes.get(key);
    if (entry) {
      entry.jobs += jobs;
      entry.ms += ms;
    } else {
      changes.set(key, { queue, state, jobs, ms });
    }
  };

  return {
    add: (queue, state, sign, lastDuration) =>
      change(queue, state, sign, sign * Math.round((lastDuration ?? 0) * 1000)),
    addMany: (queue, state, jobs) => change(queue, state, jobs, 0),
    save() {
      for (const { queue, state, jobs, ms } of changes.values()) {
        if (jobs === 0 && ms === 0) continue;
        sql(`
          insert into counts (queue, state, jobs, ms) values ($queue, $state, $jobs, $ms)
          on conflict (queue, state) do update set jobs = jobs + excluded.jobs, ms = ms + excluded.ms
        `).run({ queue, state, jobs, ms });
      }
    },
  };
}

/** Counts a job out of one state and into another. */
export function countMove(counts: CountChanges, from: Counted, to: Counted): void {
  counts.add(from.queue, from.state, -1, from.last_duration);
  counts.add(to.queue, to.state, 1, to.last_duration);
}
