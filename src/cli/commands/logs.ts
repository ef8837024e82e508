// queuectl logs: what a job printed.

import { misuse, Refusal } from "../../domain/errors.ts";
import type { Job } from "../../domain/job.ts";
import { streamsOf } from "../../domain/rules.ts";
import { openJobLog } from "../../store/logs.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { copier, followJob, tellWhatIsMissing } from "../follow.ts";
import { beginnings, followFlag, lineCount, linesFlag } from "../last-lines.ts";
import { hint, isTerminal, note } from "../output.ts";
import { patientStore, toldBy } from "../patient-store.ts";
import { wholeNumber } from "../values.ts";
import { followMany, showMany, unsettledJobs } from "./logs-many.ts";

export const commands: Commands = {
  logs: {
    usage: "logs <id…> | --follow --tag <tag> | --follow --queue <name> | --follow --running [options]",
    flags: [
      followFlag("Go on until the job is settled, or all of them are"),
      linesFlag("Only so many of the last lines, of each job and stream"),
      ["--attempt <n>", "Of this attempt; the newest by default"],
      ["--stdout", "Of a job with --split: only what went to stdout"],
      ["--stderr", "Of a job with --split: only what went to stderr, and it goes to stdout"],
      ["--tag <tag>", "Follow all jobs with this label that wait or run"],
      ["--queue <name>", "Follow all jobs of this queue that wait or run"],
      ["--running", "Follow only jobs that run now"],
    ],
    run: logs,
  },
};

interface LogsOptions {
  readonly follow?: boolean;
  readonly lines?: string;
  readonly attempt?: string;
  readonly tag?: string;
  readonly queue?: string;
  readonly running?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
}

async function logs(context: Context, words: readonly string[], options: LogsOptions): Promise<number> {
  const wanted = options.attempt === undefined ? undefined : wholeNumber("attempt", options.attempt, 1, 1e9);
  const lines = options.lines === undefined ? undefined : lineCount(options.lines);
  const isFilter = options.tag !== undefined || options.queue !== undefined || options.running === true;
  if (options.stdout && options.stderr) throw misuse("--stdout and --stderr: give one, or neither for both");
  const stream = options.stderr ? "stderr" : options.stdout ? "stdout" : undefined;
  if (stream !== undefined && (words.length !== 1 || isFilter)) throw misuse(`--${stream} is for one job`);
  if (words.length !== 1 || isFilter) return logsOfMany(context, words, options, { wanted, lines, isFilter });
  await using store = await context.openStore();
  const place = { store, home: context.home };
  const job = await store.jobs.find(words[0]!);
  if (stream !== undefined) refuseUnlessApart(job);
  const attempts = await store.jobs.attempts(job.seq);
  const newest = attempts.at(-1)?.number;
  const tame = isTerminal(1);
  if (options.follow) {
    const from = wanted ?? newest ?? 1;
    const onAttempt = (number: number) => note(`attempt ${number}`);
    const onwards = wanted === undefined;
    if (newest === undefined) hint(`job ${job.id} has not run yet; this waits for it`);
    const start = await beginnings(place, job, from, lines);
    const patient = patientStore(store, toldBy(note));
    await followJob({
      store: patient,
      home: context.home,
      job,
      from,
      start,
      onwards,
      onAttempt,
      tame,
      stream,
    });
    return done;
  }
  const number = wanted ?? newest;
  const attempt = attempts.find((one) => one.number === number);
  if (wanted !== undefined && !attempt) {
    throw new Refusal("not_found", `job ${job.id} has no attempt ${wanted}`, `it has ${attempts.length}`);
  }
  if (!attempt) {
    note(`job ${job.id} has not run yet; it is ${job.state}`);
    return done;
  }
  const start = await beginnings(place, job, attempt.number, lines);
  for (const one of streamsOf(job.rules).filter((other) => other === (stream ?? other))) {
    const log = () => openJobLog(place, job.seq, attempt.number, one);
    const to = one === "stderr" && stream === undefined ? 2 : 1;
    await copier(log, { from: start[one], tame, to }).end();
  }
  tellWhatIsMissing(place, job, attempt);
  return done;
}

function refuseUnlessApart(job: Job): void {
  if (job.rules.split) return;
  throw new Refusal(
    "wrong_state",
    `job ${job.id} has its output in one piece`,
    "enqueue --split keeps it apart",
  );
}

interface Asked {
  readonly wanted: number | undefined;
  readonly lines: number | undefined;
  readonly isFilter: boolean;
}

async function logsOfMany(
  context: Context,
  words: readonly string[],
  { tag, queue, running = false, follow = false }: LogsOptions,
  { wanted, lines, isFilter }: Asked,
): Promise<number> {
  if (isFilter && words.length > 0) throw misuse("either ids, or --tag, --queue and --running, not both");
  if (!isFilter && words.length === 0)
    throw misuse("logs of what? Say ids, or else --follow with --tag, --queue or --running");
  if (isFilter && !follow) throw misuse("--tag, --queue and --running are for --follow", "add --follow");
  if (follow && wanted !== undefined) throw misuse("--attempt with --follow is for one job");
  await using store = await context.openStore();
  const jobs = isFilter ? await unsettledJobs(store, { tag, queue }, running) : await findJobs(store, words);
  const many = { store, home: context.home, jobs, lines };
  if (jobs.length === 0) note("queuectl: there is no such job that waits or runs");
  await (follow ? followMany(many) : showMany(many, wanted));
  return done;
}
