// What queuectl asks of a database about all jobs that match, under the rules of store.ts: a window at a time, however many there are.

import type { Job } from "../domain/job.ts";
import type { JobFilter, RemovedJob } from "./jobs.ts";

/**
 * Jobs by a filter, the newest first, a window at a time. Each answer says where to go on (`older`), so that whoever walks all
 * that match sees each job once, whatever is added or changed meanwhile.
 */
export interface Matching {
  /**
   * A page of a list. With a text or a tag to compare it looks at about `scan` jobs, so it may show few and still have more;
   * on the first page, jobs whose id begins with the text come first, however old. `total` is counted by state and queue only. A job that
   * cannot be read is there without what cannot.
   */
  page(filter: JobFilter, window: JobWindow): Promise<JobPage>;

  /** The number of the newest job; 0 when there never was one. */
  newest(): Promise<number>;

  /** How many match among the next `limit` jobs. */
  count(
    filter: JobFilter,
    window: JobSpan,
  ): Promise<{ readonly jobs: number; readonly older: number | undefined }>;

  /**
   * Does one thing to whatever matches among the next `limit` jobs. Jobs that it cannot be done to are left alone: running ones by
   * retry and delete, settled ones by cancel, by hold all that do not wait or are held, and by release all that are not.
   */
  change(change: JobChange, filter: JobFilter, window: JobSpan): Promise<ChangedJobs>;
}

export type JobChange = "retry" | "cancel" | "delete" | "hold" | "release";

export interface JobSpan {
  readonly limit: number;
  /** Only jobs enqueued before the one with this number. */
  readonly before?: number | undefined;
}

export interface JobWindow extends JobSpan {
  /** Jobs to look at when a text or a tag has to be compared. */
  readonly scan: number;
}

export interface JobPage {
  readonly jobs: readonly Job[];
  /** Where the next page goes on; undefined at the end. */
  readonly older: number | undefined;
  readonly total: number | undefined;
}

export interface ChangedJobs {
  readonly changed: number;
  /** Jobs that match, and that it could not be done to. */
  readonly left: number;
  readonly removed: readonly RemovedJob[];
  readonly older: number | undefined;
}

/** A list by state reads the newest of each queue and state that match; with more of them than this it has to be told where to stop. */
export const mostGroups = 32;

/** How many of each of so many groups are together as many as are wanted, also when some have fewer. */
export const shareOf = (wanted: number, groups: number) => 2 * Math.ceil(wanted / groups);
