// The right to run a job. Each claim of a job, and each take-over, raises the number of its lease, so whoever comes
// late with an older number is told so and changes nothing.

import type { Ending, OutputPiece } from "./attempt.ts";
import type { Job } from "./job.ts";
import type { Stream } from "./rules.ts";

export interface Lease {
  readonly job_seq: number;
  /** Only grows, per job. */
  readonly lease_seq: number;
}

/** A job in the hands of a worker. */
export interface ClaimedJob {
  readonly job: Job;
  readonly lease: Lease;
  /** Which attempt this is: 1 for the job's first run. */
  readonly attempt: number;
  readonly worker_id: string;
}

/** A job taken over from a dead worker, with what is known of its command. */
export interface TakenJob extends ClaimedJob {
  readonly pid: number | null;
  readonly pid_start: string | null;
  /** Where the command's shell writes how it ended. */
  readonly journal: string;
}

/** What a worker reports of an attempt that has ended. */
export interface Settlement {
  readonly lease: Lease;
  readonly ending: Ending;
  /** Of the command's shell, for what ended before anybody was told that it started. */
  readonly pid?: number | null;
  /** The ends of its output, where the store keeps output. */
  readonly rests?: readonly StreamPiece[] | undefined;
}

/** Some of what an attempt printed on one of its streams. */
export interface StreamPiece extends OutputPiece {
  readonly stream: Stream;
}
