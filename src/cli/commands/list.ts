// queuectl list: jobs, the newest first.

import { formatDuration, formatElapsed } from "../../domain/duration.ts";
import type { Job } from "../../domain/job.ts";
import { jobJson } from "../../domain/json.ts";
import type { JobFilter } from "../../store/jobs.ts";
import type { Store } from "../../store/store.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { type Cell, hint, isTerminal, jsonFlag, note, printJson, printTable, stateCell } from "../output.ts";
import { refusalLine } from "../streams.ts";
import { statesIn, wholeNumber } from "../values.ts";

export const commands: Commands = {
  list: {
    flags: [
      [
        "--state <states>",
        "pending, processing, completed, failed, dead or cancelled, or some with commas between",
      ],
      ["--queue <name>", "Of this queue"],
      ["--tag <tag>", "With this label"],
      ["--search <text>", "With this in their id or command"],
      ["--limit <n>", "At most so many; 50 by default, 0 for all"],
      jsonFlag,
    ],
    run: list,
  },
};

interface ListOptions {
  readonly state?: string;
  readonly queue?: string;
  readonly tag?: string;
  readonly search?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

async function list(context: Context, _words: readonly string[], options: ListOptions): Promise<number> {
  const states = options.state === undefined ? [undefined] : statesIn(options.state);
  const { queue, tag, search } = options;
  const filter = { queue, tag, search };
  const heading = ["ID", "STATE", "PRIORITY", "QUEUE", "ATTEMPTS", "WHEN", "COMMAND"];
  const isEverything = Object.values({ ...filter, state: options.state }).every(
    (value) => value === undefined,
  );
  const nothing = isEverything ? noJob : "no job fits; queuectl list shows all of them";
  const filters = states.map((state) => ({ ...filter, state }));
  return printJobs(context, filters, options, {
    heading,
    spare: ["PRIORITY", "ATTEMPTS", "QUEUE", "WHEN"],
    nothing,
    row: (job, now) => [
      job.id,
      stateCell(job.state),
      String(job.priority),
      job.queue,
      `${job.attempts}/${job.max_retries + 1}`,
      whenText(job, now),
      job.command,
    ],
  });
}

export const noJob = "there is no job yet; store one: queuectl enqueue 'echo hello'";

interface JobTable {
  readonly heading: readonly string[];
  /** Columns that a narrow terminal can do without, the least needed first. */
  readonly spare: readonly string[];
  readonly row: (job: Job, now: number) => Cell[];
  /** Said where there is no job to show. */
  readonly nothing: string;
  /** What can be done with them, for somebody at a terminal. */
  readonly next?: string;
}

/** The jobs that any of the filters lets through as a table or as JSON, and on stderr how many more there are. */
export async function printJobs(
  context: Context,
  filters: readonly JobFilter[],
  options: Pick<ListOptions, "limit" | "json">,
  { heading, spare, row, nothing, next }: JobTable,
): Promise<number> {
  const limit = options.limit === undefined ? 50 : wholeNumber("limit", options.limit, 0, 1e9);
  await using store = await context.openStore();
  const { jobs, damaged, total } = await newestOf(store, filters, limit);
  const now = await store.now();
  if (options.json) await printJson(jobs.map(jobJson));
  else if (jobs.length > 0)
    await printTable(
      heading,
      jobs.map((job) => row(job, now)),
      spare,
    );
  else if (damaged.size === 0) note(nothing);
  for (const line of damaged) note(line);
  if (jobs.length + damaged.size < total) note(`${jobs.length} of ${total}; --limit 0 shows all`);
  if (next !== undefined && jobs.length > 0 && isTerminal(1)) hint(next);
  return done;
}

/** 0 for no limit. */
async function newestOf(
  store: Store,
  filters: readonly JobFilter[],
  limit: number,
): Promise<{ jobs: readonly Job[]; damaged: ReadonlySet<string>; total: number }> {
  const lists = await Promise.all(filters.map((filter) => store.jobs.list(filter, { limit })));
  // One that goes from state to state meanwhile may be in two of them.
  const found = new Map(lists.flatMap(({ jobs }) => jobs.map((job) => [job.seq, job])));
  const newest = [...found.values()].sort((a, b) => b.seq - a.seq);
  return {
    jobs: limit === 0 ? newest : newest.slice(0, limit),
    damaged: new Set(lists.flatMap(({ damaged }) => damaged.map(refusalLine))),
    total: lists.reduce((sum, { total }) => sum + total, 0),
  };
}

/** What a glance wants to know of a job's time. */
function whenText(job: Job, now: number): string {
  switch (job.state) {
    case "pending":
    case "failed": {
      if (job.held) return "held";
      if (job.unmet > 0) return `after ${job.unmet}`;
      const seconds = ((job.next_run_at ?? now) - now) / 1000;
      return seconds > 0 ? `in ${formatDuration(Math.ceil(seconds))}` : "due";
    }
    case "processing":
      return `for ${formatElapsed(job.started_at ?? now, now)}`;
    case "completed":
    case "dead":
    case "cancelled":
      return `${formatElapsed(job.finished_at ?? now, now)} ago`;
    default:
      return job.state satisfies never;
  }
}
