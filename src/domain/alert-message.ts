// What an alert says: a message as a webhook gets it, and in words for people.

import type { AlertEvent } from "./alert.ts";
import { counted } from "./counted.ts";
import { formatDuration } from "./duration.ts";
import type { Job } from "./job.ts";
import { jobJson } from "./json.ts";
import { cutText, oneLine } from "./one-line.ts";
import { withoutSecrets } from "./secrets.ts";
import { isoTime } from "./time.ts";

/** A queue that backs up. */
export interface Backlog {
  readonly queue: string;
  /** Jobs that could run and wait; null when that was not asked for. */
  readonly waiting: number | null;
  /** Seconds that the oldest of them has waited. */
  readonly oldest_wait: number | null;
}

/** What one message tells of; the first few of each. */
interface Told {
  readonly jobs: readonly Job[];
  readonly queues: readonly Backlog[];
}

/** Without its environment, and without the secrets of that. */
type ToldJob = Omit<ReturnType<typeof jobJson>, "env">;

export interface Message {
  /** `job.dead`, `job.completed`, `job.slow`, `queue.backlog` or `alert.test`. */
  readonly type: string;
  /** When the newest of those that it names happened. */
  readonly timestamp: string;
  /** All of it in one sentence. */
  readonly text: string;
  readonly data: {
    readonly alert: string;
    /** How many things it tells of; only the first few are in it. */
    readonly count: number;
    readonly jobs: readonly ToldJob[];
    readonly queues: readonly Backlog[];
  };
}

export interface MessageFacts extends Told {
  readonly alert: string;
  readonly event: AlertEvent | "test";
  readonly count: number;
  readonly at: number;
}

export function messageOf({ alert, event, count, at, jobs, queues }: MessageFacts): Message {
  const told = jobs.map(toldJob);
  return {
    type: types[event],
    timestamp: isoTime(at),
    text: headline(event, alert, count, told, queues),
    data: { alert, count, jobs: told, queues },
  };
}

export const testMessage = (alert: string, at: number): Message =>
  messageOf({ alert, event: "test", count: 1, at, jobs: [], queues: [] });

const types: Readonly<Record<MessageFacts["event"], string>> = {
  dead: "job.dead",
  completed: "job.completed",
  slow: "job.slow",
  backlog: "queue.backlog",
  test: "alert.test",
};

function toldJob(job: Job): ToldJob {
  const { env, ...told } = jobJson(job);
  return {
    ...told,
    command: withoutSecrets(told.command, env),
    last_error: told.last_error && withoutSecrets(told.last_error, env),
  };
}

function headline(
  event: MessageFacts["event"],
  alert: string,
  count: number,
  jobs: readonly ToldJob[],
  queues: readonly Backlog[],
): string {
  const [job] = jobs;
  const [queue] = queues;
  if (event === "test") return `this is a test of the alert ${alert}`;
  if (event === "backlog") return queue && count === 1 ? backlogLine(queue) : `${count} queues back up`;
  if (!job || count > 1) return `${count} jobs ${many[event]}`;
  switch (event) {
    case "dead": {
      const why = job.last_error ? `: ${oneLine(job.last_error)}` : "";
      return `job ${job.id} is dead after ${counted(job.attempts, "attempt")}${why}`;
    }
    case "completed":
      return `job ${job.id} completed in ${formatDuration(job.last_duration ?? 0)}`;
    case "slow":
      return `job ${job.id} has been running since ${job.started_at}`;
    default:
      return event satisfies never;
  }
}

const many = { dead: "are dead", completed: "completed", slow: "run for long" } as const;

function backlogLine({ queue, waiting, oldest_wait }: Backlog): string {
  const facts = [
    ...(waiting === null ? [] : [`${waiting} jobs wait`]),
    ...(oldest_wait === null ? [] : [`the oldest for ${formatDuration(Math.floor(oldest_wait))}`]),
  ];
  return `queue ${queue} backs up: ${facts.join(", ")}`;
}

const longestLine = 500;

/** What the message names, a line each. */
export function detailLines({ data: { jobs, queues, count } }: Message): string[] {
  const lines = [
    ...jobs.map(
      ({ id, queue, command, last_error }) =>
        `${id} (${queue}): ${command}${last_error ? ` - ${last_error}` : ""}`,
    ),
    ...(count > 1 ? queues.map(backlogLine) : []),
  ].map((line) => cutText(oneLine(line), longestLine));
  const named = jobs.length + queues.length;
  return count > named && named > 0 ? [...lines, `and ${count - named} more`] : lines;
}
