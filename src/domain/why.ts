// Why a job does not run, in one sentence, and when it will.

import { counted } from "./counted.ts";
import type { Relative } from "./dependencies.ts";
import { formatDuration } from "./duration.ts";
import type { Job } from "./job.ts";
import type { Bucket } from "./overview.ts";
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
  /** Whether the process is gone of the worker that has it. */
  readonly isOrphan: boolean;
  /** Those that serve its queue. */
  readonly workers: number;
  /** Runs that ended in a second, of late; 0 when none did. */
  readonly perSecond: number;
}

/** Runs that ended in a second, since the first of these buckets in which any did; 0 when none did. */
export function paceOf(buckets: readonly Bucket[], now: number): number {
  const first = buckets.findIndex(({ completed, failed }) => completed + failed > 0);
  if (first === -1) return 0;
  const ended = buckets.reduce((sum, { completed, failed }) => sum + completed + failed, 0);
  return ended / Math.max(1, (now - buckets[first]!.from) / 1000);
}

export function whyText(job: Job, facts: WhyFacts): string {
  const { id } = job;
  switch (job.state) {
    case "processing":
      return facts.isOrphan
        ? `job ${id} is in the hands of ${job.worker_id}, which is dead; the next worker takes it over: queuectl worker`
        : `job ${id} runs, by ${job.worker_id}`;
    case "completed":
      return `job ${id} has completed; queuectl retry ${id} runs it once more`;
    case "dead":
      return `job ${id} is dead (${job.last_error}); queuectl dlq retry ${id} puts it back`;
    case "cancelled":
      return `job ${id} is cancelled${job.last_error === null ? "" : ` (${job.last_error})`}; queuectl retry ${id} runs it`;
    case "pending":
    case "failed":
      return `job ${id} ${whyWaiting(job, facts)}`;
    default:
      return job.state satisfies never;
  }
}

/** The same of a job that waits, as the rest of the sentence. */
export function whyWaiting(job: Job, facts: WhyFacts): string {
  const { id, queue, next_run_at } = job;
  const { now, parents } = facts;
  if (job.held) return `is held until queuectl release ${id}`;
  if (job.unmet > 0) return `waits for ${parentsText(parents)}${wayOn(parents)}`;
  const moment = next_run_at ?? now;
  if (moment > now) {
    const wait = formatDuration(Math.ceil((moment - now) / 1000));
    return `${job.state === "failed" ? "failed and is retried" : "is to run"} in ${wait}`;
  }
  const blocked = blockedBy(job, facts);
  if (blocked !== null) return blocked;
  if (facts.workers === 0)
    return `waits for a worker: none serves its queue ${queue}; start one: queuectl worker`;
  const limited = limitedBy(job, facts);
  if (limited !== null) return limited;
  const others = facts.waiting - 1;
  const turn = `waits for its turn, with ${counted(others, "other job")} of its queue ${queue}`;
  return `${turn}${untilText(facts)}`;
}

/** What keeps a job that could run by now even from a worker that has nothing else to do; null when nothing does. */
export const keptBy = (job: Job, facts: WhyFacts): string | null =>
  blockedBy(job, facts) ?? limitedBy(job, facts);

/** What does so until somebody does something about it, or another job ends. */
function blockedBy({ queue, key }: Job, { rules, holder }: WhyFacts): string | null {
  if (rules?.paused_at != null)
    return `waits because its queue ${queue} is paused; queuectl queue resume ${queue}`;
  if (holder !== undefined) return `waits until job ${holder} ends, which runs under its key ${key}`;
  return null;
}

function limitedBy({ queue }: Job, facts: WhyFacts): string | null {
  const { rules, running } = facts;
  const limit = rules?.concurrency ?? null;
  if (limit !== null && running >= limit)
    return `waits because its queue ${queue} runs ${running} of ${limit} jobs at once${untilText(facts)}`;
  return rules?.rate
    ? `waits for its turn: of its queue ${queue} ${formatRate(rules.rate)} start${untilText(facts)}`
    : null;
}

const shownParents = 3;

function parentsText(parents: readonly Relative[]): string {
  const named = parents.slice(0, shownParents).map(({ id, state }) => `${id} (${state})`);
  const more = parents.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** One that is settled and waited for all the same comes to nothing by itself. */
function wayOn(parents: readonly Relative[]): string {
  const stuck = parents.find(({ state }) => state === "dead" || state === "cancelled");
  if (stuck === undefined) return "";
  return `; queuectl ${stuck.state === "dead" ? "dlq retry" : "retry"} ${stuck.id} runs that once more`;
}

/** As if all that waits in its queue were before it: by how fast runs of all queues ended, and by what its queue lets start. */
function untilText({ waiting, perSecond, rules }: WhyFacts): string {
  const ofLate = perSecond === 0 ? 0 : waiting / perSecond;
  const byRate = rules?.rate ? (Math.ceil(waiting / rules.rate.starts) - 1) * rules.rate.per : 0;
  if (ofLate === 0 && byRate === 0) return "";
  const wait = `in ${formatDuration(Math.ceil(Math.max(ofLate, byRate)))} at most`;
  return `; ${wait}, ${byRate > ofLate ? "if workers keep up with that rate" : "as fast as it went of late"}`;
}
