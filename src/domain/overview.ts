// The figures of the whole queue that a dashboard shows beside its counts.

import type { Job, JobState } from "./job.ts";
import type { Stats } from "./stats.ts";

/** How far a chart looks back, and how wide its bars are. */
export const spans = {
  hour: { bucketMs: 60_000, buckets: 60, about: "by minute, the last hour" },
  day: { bucketMs: 3_600_000, buckets: 24, about: "by hour, the last day" },
  month: { bucketMs: 86_400_000, buckets: 30, about: "by day, the last 30 days" },
} as const;

export type Span = keyof typeof spans;

export interface Bucket {
  readonly from: number;
  readonly completed: number;
  /** Charged runs that failed, also those that are tried again. */
  readonly failed: number;
}

export interface Throughput {
  readonly span: Span;
  /** The oldest first, without gaps; the last one is not over yet. */
  readonly buckets: readonly Bucket[];
}

/** Dead jobs that died of the same: one command, one exit status. */
export interface DeathGroup {
  readonly command: string;
  readonly exit_code: number | null;
  readonly error: string | null;
  readonly jobs: number;
  readonly newest: Job;
}

export interface QueueCounts extends Readonly<Record<JobState, number>> {
  readonly queue: string;
  /** Since when its oldest due job waits; null when none is due. */
  readonly oldest_waiting_at: number | null;
}

export interface Overview {
  readonly stats: Stats;
  readonly busy_workers: number;
  readonly p95_duration: number | null;
  readonly oldest_waiting_at: number | null;
  readonly throughput: Throughput;
  readonly deaths: readonly DeathGroup[];
  /** Whether there are more dead jobs than were looked at for the groups. */
  readonly more_deaths: boolean;
  /** Queues with jobs to run that no living worker serves. */
  readonly unserved: readonly QueueCounts[];
  readonly dead_workers: readonly string[];
}

/** Numbers in a command that differ from job to job do not make it another command. */
const commandTemplate = (command: string) => command.replace(/\d+/g, "#");

/** Dead jobs by command and exit status, the largest group first. */
export function groupDeaths(dead: readonly Job[]): DeathGroup[] {
  const groups = new Map<string, DeathGroup>();
  for (const job of dead) {
    const key = `${job.last_exit_code} ${commandTemplate(job.command)}`;
    const group = groups.get(key);
    groups.set(
      key,
      group
        ? { ...group, jobs: group.jobs + 1 }
        : {
            command: job.command,
            exit_code: job.last_exit_code,
            error: job.last_error,
            jobs: 1,
            newest: job,
          },
    );
  }
  return [...groups.values()].sort((a, b) => b.jobs - a.jobs);
}
