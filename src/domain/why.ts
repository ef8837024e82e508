// Why a job does not run, in one sentence, and when it will.

import type { Relative } from "./dependencies.ts";
import { formatDuration } from "./duration.ts";
import type { Job } from "./job.ts";
import { formatRate, type QueueRules } from "./queue.ts";

export interface WhyFacts {
  readonly now: number;
  /** What it waits for. */
  readonly parents: readonly Relative[];
  /** What was said of its queue; undefined when nothing was. */
  readonly rules: QueueRules | undefined;
  /** The jobs of its queue that run. */
  readonly running: number;
  /** And those that are to run, itself included. */
  readonly waiting: number;
  /** The job that runs under its key. */
  readonly holder: string | undefined;
  /** Living workers that serve its queue. */
  readonly workers: number;
  /** Runs that ended in a second, of late; 0 when none did. */
  readonly perSecond: number;
}

export function whyText(job: Job, facts: WhyFacts): string {
  const { id, queue } = job;
  switch (job.state) {
    case "processing":
      return `job ${id} runs, by ${job.worker_id}`;
    case "completed":
      return `job ${id} has completed; queuectl retry ${id} runs it once more`;
    case "dead":
      return `job ${id} is dead (${job.last_error}); queuectl dlq retry ${id} puts it back`;
    case "cancelled":
      return `job ${id} is cancelled${job.last_error === null ? "" : ` (${job.last_error})`}; queuectl retry ${id} runs it`;
    case "pending":
    case "failed":
      return `job ${id} ${waitText(job, facts)}`;
    default:
      return job.state satisfies never;
  }

  function waitText({ held, unmet, next_run_at, key }: Job, facts: WhyFacts): string {
    const { now, parents, rules, running, holder, workers } = facts;
    if (held) return `is held until queuectl release ${id}`;
    if (unmet > 0) return `waits for ${parentsText(parents)}`;
    const moment = next_run_at ?? now;
    if (moment > now) {
      const wait = formatDuration(Math.ceil((moment - now) / 1000));
      return `${job.state === "failed" ? "failed and is retried" : "is to run"} in ${wait}`;
    }
    if (rules?.paused_at != null)
      return `waits because its queue ${queue} is paused; queuectl queue resume ${queue}`;
    if (holder !== undefined) return `waits until job ${holder} ends, which runs under its key ${key}`;
    if (workers === 0)
      return `waits for a worker: none serves its queue ${queue}; start one: queuectl worker`;
    const limit = rules?.concurrency ?? null;
    if (limit !== null && running >= limit)
      return `waits because its queue ${queue} runs ${running} of ${limit} jobs at once${untilText(facts)}`;
    const rate = rules?.rate ? `; of its queue ${formatRate(rules.rate)} start` : "";
    return `waits for its turn, with ${facts.waiting - 1} other jobs of its queue ${queue}${rate}${untilText(facts)}`;
  }
}

const shownParents = 3;

function parentsText(parents: readonly Relative[]): string {
  const named = parents.slice(0, shownParents).map(({ id, state }) => `${id} (${state})`);
  const more = parents.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** By the rate at which runs of all queues ended, as if all that waits in its queue were before it. */
const untilText = ({ waiting, perSecond }: WhyFacts) =>
  perSecond === 0
    ? ""
    : `; in ${formatDuration(Math.ceil(waiting / perSecond))} at most, as fast as it went of late`;
