// queuectl dlq: the dead letter queue, jobs that are out of retries.

import { counted } from "../../domain/counted.ts";
import { checkEdit } from "../../domain/edit.ts";
import { misuse } from "../../domain/errors.ts";
import type { Job } from "../../domain/job.ts";
import type { JobFilter } from "../../store/jobs.ts";
import type { Store } from "../../store/store.ts";
import { removeJobLogs } from "../../worker/job-logs.ts";
import { changeMatching, countMatching, jobsAre } from "../change-matching.ts";
import type { Commands } from "../command.ts";
import { confirmed, yesFlag } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findJobs, findNamed } from "../find-jobs.ts";
import { type JobOptions, jobFlagsBut } from "../job-options.ts";
import { jsonFlag, note, stateCell } from "../output.ts";
import { saidBy } from "./edit.ts";
import { printJobs } from "./list.ts";

export const commands: Commands = {
  "dlq list": {
    flags: [
      ["--tag <tag>", "With this label"],
      ["--queue <name>", "Of this queue"],
      ["--search <text>", "With this in their id or command"],
      ["--limit <n>", "At most so many; 50 by default, 0 for all"],
      jsonFlag,
    ],
    run: dlqList,
  },
  "dlq retry": {
    usage:
      "dlq retry <id…> | <id> [options] [-- <word…>] | --tag <tag> | --queue <name> | --search <text> | --all",
    examples: ["queuectl dlq retry backup --command 'rsync -a src/ nas:' --timeout 2h"],
    flags: [
      ["--tag <tag>", "All with this label"],
      ["--queue <name>", "All of this queue"],
      ["--search <text>", "All with this in their id or command"],
      ["--all", "All there are"],
      yesFlag,
      ...jobFlagsBut("id", "queue", "key", "tag", "cwd"),
      ["--cwd <folder>", "Where it runs"],
    ],
    run: dlqRetry,
  },
  "dlq retry-all": { run: dlqRetryAll },
  "dlq delete": { run: dlqDelete },
  "dlq purge": { flags: [yesFlag], run: dlqPurge },
};

interface ListOptions {
  readonly tag?: string;
  readonly queue?: string;
  readonly search?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

function dlqList(context: Context, _words: readonly string[], options: ListOptions): Promise<number> {
  const { tag, queue, search } = options;
  const isAll = tag === undefined && queue === undefined && search === undefined;
  return printJobs(context, [{ state: "dead", tag, queue, search }], options, {
    heading: ["ID", "STATE", "ATTEMPTS", "COMMAND", "ERROR"],
    row: (job) => [job.id, stateCell(job.state), String(job.attempts), job.command, job.last_error ?? ""],
    spare: ["STATE", "ATTEMPTS"],
    nothing: isAll
      ? "there is no dead letter: no job is out of retries"
      : "no dead letter fits; queuectl dlq list shows all of them",
    next: "queuectl logs <id> shows what one printed, queuectl dlq retry <id> runs it again",
  });
}

interface RetryOptions extends Omit<JobOptions, "tag" | "queue"> {
  readonly tag?: string;
  readonly queue?: string;
  readonly search?: string;
  readonly database?: string;
  readonly all?: boolean;
  readonly yes?: boolean;
}

async function dlqRetry(
  context: Context,
  words: readonly string[],
  { all = false, yes = false, tag, queue, search, database: _database, ...changes }: RetryOptions,
): Promise<number> {
  const isFilter = tag !== undefined || queue !== undefined || search !== undefined;
  const ways = [words.length > 0, isFilter, all].filter(Boolean).length;
  if (ways > 1) {
    throw misuse(
      "either ids, or --tag, --queue and --search, which say whose turn it is, or --all",
      "queuectl edit changes the queue and the tags of a job that is back",
    );
  }
  if (ways === 0) throw misuse("retry what? Say ids, or else --tag, --queue and --search, or --all");
  // As of a variable that is not set; it would mean all of them.
  if (search === "") throw misuse("--search needs a text", "--all is for all dead letters");
  const isEdit = Object.keys(changes).length > 1 || changes.dashed.length > 0;
  if (isEdit && words.length !== 1) throw misuse("only one dead letter at a time is changed", "say its id");
  await using store = await context.openStore();
  if (isFilter || all) {
    const filter = { tag, queue, search };
    const count = await countMatching(store, filter, ["dead"]);
    if (count > 0 && !confirmed(`Put ${lettersText(count)} back into the queue?`, { yes })) {
      note("nothing was retried");
      return notDone;
    }
    return await retryMatching(context, store, filter);
  }
  const found = await findJobs(store, words);
  if (isEdit) return await retryEdited(context, store, found[0]!, changes);
  const jobs = await store.jobs.retry(
    found.map(({ seq }) => seq),
    "dead",
  );
  for (const job of jobs) note(`job ${job.id} is back in its queue`);
  return done;
}

async function retryEdited(context: Context, store: Store, job: Job, changes: JobOptions): Promise<number> {
  const said = await saidBy(context, changes, await store.now());
  await store.jobs.retryEdited(job.seq, (found) => checkEdit(found, said?.(found) ?? {}));
  note(`job ${job.id} is back in its queue`);
  return done;
}

async function dlqRetryAll(context: Context): Promise<number> {
  await using store = await context.openStore();
  return await retryMatching(context, store, {});
}

async function retryMatching(context: Context, store: Store, filter: JobFilter): Promise<number> {
  const place = { store, home: context.home };
  const { changed } = await changeMatching(place, "retry", { ...filter, state: "dead" });
  note(`${jobsAre(changed)} back in the queue`);
  return done;
}

async function dlqDelete(context: Context, words: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  const found = await findNamed(store, words);
  removeJobLogs(
    { store, home: context.home },
    await store.jobs.delete(
      found.map(({ seq }) => seq),
      "dead",
    ),
  );
  for (const { id } of found) note(`job ${id} is deleted`);
  return done;
}

const lettersText = (count: number) => counted(count, "dead letter");

async function dlqPurge(
  context: Context,
  _words: readonly string[],
  options: { yes?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const { dead } = await store.stats.read();
  if (dead > 0 && !confirmed(`Remove ${lettersText(dead)}, with history and logs?`, options)) {
    note("nothing was removed");
    return notDone;
  }
  const { changed } = await changeMatching({ store, home: context.home }, "delete", { state: "dead" });
  note(`${lettersText(changed)} removed`);
  return done;
}
