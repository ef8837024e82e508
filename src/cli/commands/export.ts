// queuectl export: jobs as JSON Lines, in the order of their enqueuing.

import { parseDuration } from "../../domain/duration.ts";
import { misuse, Refusal } from "../../domain/errors.ts";
import type { Job, JobState } from "../../domain/job.ts";
import { attemptJson, jobJson } from "../../domain/json.ts";
import { parseIso } from "../../domain/time.ts";
import type { Store } from "../../store/store.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { note, writeOut } from "../output.ts";
import { progressBar, progressLine } from "../progress.ts";
import { statesIn } from "../values.ts";

export const commands: Commands = {
  export: {
    examples: [
      "queuectl export --since 7d --attempts > jobs.jsonl",
      "queuectl export --state pending,failed | queuectl enqueue --file - --database postgres://…",
    ],
    flags: [
      ["--state <states>", "Only in this state, or in one of several with commas between"],
      ["--queue <name>", "Only of this queue"],
      ["--tag <tag>", "Only with this label"],
      ["--since <time>", "Only those enqueued since then: ISO 8601, or how long ago, such as 7d"],
      ["--attempts", "With all attempts of each"],
    ],
    run: exportJobs,
  },
};

interface ExportOptions {
  readonly state?: string;
  readonly queue?: string;
  readonly tag?: string;
  readonly since?: string;
  readonly attempts?: boolean;
}

/** Jobs in memory at once. */
const batch = 200;

async function exportJobs(
  context: Context,
  _words: readonly string[],
  options: ExportOptions,
): Promise<number> {
  const states = options.state === undefined ? undefined : statesIn(options.state);
  await using store = await context.openStore();
  const isWanted = chosenBy(options, states, sinceOf(options.since, await store.now()));
  // What is enqueued while it is written is no part of it, so that it ends.
  const last = await store.matching.newest();
  using progress = progressLine();
  let written = 0;
  for (let after = 0; ; ) {
    const jobs = await store.jobs.following(after, batch);
    const wanted = jobs.filter((job) => job.seq <= last && isWanted(job));
    if (!(await writeOut(await linesOf(store, wanted, options.attempts ?? false)))) return done;
    written += wanted.length;
    after = jobs.at(-1)?.seq ?? last;
    if (after >= last || jobs.length < batch) break;
    progress.show(() => progressBar(after / last, `${written} jobs`));
  }
  progress.clear();
  if (written === 0) note("nothing was written: there is no such job; queuectl list shows those there are");
  return done;
}

function sinceOf(text: string | undefined, now: number): number {
  if (text === undefined) return 0;
  const ago = parseDuration(text);
  const moment = ago === undefined ? parseIso(text.trim(), { local: true }) : now - ago * 1000;
  if (moment !== undefined) return moment;
  throw misuse(
    `--since cannot be ${JSON.stringify(text)}: it is an ISO 8601 time such as 2026-12-24, or how long ago, such as 7d`,
  );
}

const chosenBy =
  ({ queue, tag }: ExportOptions, states: readonly JobState[] | undefined, since: number) =>
  (job: Job): boolean =>
    (states?.includes(job.state) ?? true) &&
    (queue === undefined || job.queue === queue) &&
    (tag === undefined || job.tags.includes(tag)) &&
    job.created_at >= since;

async function linesOf(store: Store, jobs: readonly Job[], hasAttempts: boolean): Promise<string> {
  const lines = jobs.map(async (listed) => {
    const { job, attempts_history } = hasAttempts ? await withAttempts(store, listed) : { job: listed };
    const parents = job.unmet > 0 ? { after: await parentsOf(store, job) } : {};
    return `${JSON.stringify({ ...jobJson(job), ...parents, ...(attempts_history && { attempts_history }) })}\n`;
  });
  return (await Promise.all(lines)).join("");
}

/** Both as of one moment; one that was deleted meanwhile is as it was listed, and has none. */
async function withAttempts(store: Store, listed: Job) {
  try {
    const { job, attempts } = await store.jobs.history(listed.id);
    if (job.seq === listed.seq) return { job, attempts_history: attempts.map(attemptJson) };
  } catch (error) {
    // Where the id is gone, it may be the beginning of others.
    const isGone = error instanceof Refusal && (error.kind === "not_found" || error.kind === "ambiguous");
    if (!isGone) throw error;
  }
  return { job: listed, attempts_history: [] };
}

/** What it still waits for: what has been settled does not keep it elsewhere, either. */
async function parentsOf(store: Store, { seq }: Job) {
  const { after } = await store.jobs.relatives(seq, 0);
  return after.filter(({ waits }) => waits).map(({ id, state, if_fails }) => ({ id, state, if_fails }));
}
