// queuectl show: one job and its attempts.

import type { Attempt } from "../../domain/attempt.ts";
import { formatDuration, formatElapsed } from "../../domain/duration.ts";
import { isWaiting, type Job } from "../../domain/job.ts";
import { attemptJson, jobJson, originJson, relativesJson } from "../../domain/json.ts";
import type { JobRules } from "../../domain/rules.ts";
import type { JobOrigin } from "../../domain/schedule.ts";
import { formatSize } from "../../domain/size.ts";
import { isoTime } from "../../domain/time.ts";
import { whyWaiting } from "../../domain/why.ts";
import { errorLogPath, jobLogPath } from "../../home.ts";
import { whyFacts } from "../../store/why.ts";
import { workersAsSeen } from "../../worker/liveness.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { familyTree } from "../family.ts";
import { runFacts } from "../job-facts.ts";
import {
  type Cell,
  type Fact,
  isTerminal,
  jsonFlag,
  note,
  printFacts,
  printJson,
  printLine,
  printTable,
  stateCell,
} from "../output.ts";

export const commands: Commands = {
  show: { flags: [jsonFlag], run: show },
};

/** Jobs that come after one and are printed with it. */
const mostRelatives = 1000;

async function show(
  context: Context,
  words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const { job, attempts } = await store.jobs.history(words[0]!);
  const origin = await store.schedules.originOf(job.seq);
  if (options.json) {
    const history = attempts.map((attempt) => ({
      ...attemptJson(attempt),
      ...logsOf(jobLogPath(context.home, job.seq, attempt.number), store.output !== null, job.rules),
    }));
    const family = relativesJson(await store.jobs.relatives(job.seq, mostRelatives));
    await printJson({ ...jobJson(job), ...originJson(origin), ...family, attempts_history: history });
    return done;
  }
  const why = isWaiting(job.state)
    ? whyWaiting(job, await whyFacts(store, job, await workersAsSeen(store)))
    : null;
  const after = await familyTree(store, job.seq, "after");
  const before = await familyTree(store, job.seq, "before");
  // Only now, so that a database that cannot be read has shown no half of it.
  await printFacts(facts(job, origin, why));
  if (after.length > 0) await printLine(["comes after", ...after].join("\n"));
  if (before.length > 0) await printLine(["comes before", ...before].join("\n"));
  if (attempts.length === 0) return done;
  note("");
  const heading = [
    "ATTEMPT",
    "RESULT",
    "STARTED",
    "DURATION",
    "CPU",
    "PEAK MEMORY",
    "OUTPUT",
    "WORKER",
    "HOST",
    "SAYS",
  ];
  const now = await store.now();
  // A reader wants to know how long ago, and a program when.
  const started = ({ started_at }: Attempt) =>
    isTerminal(1) ? `${formatElapsed(started_at, now)} ago` : isoTime(started_at);
  await printTable(
    heading,
    attempts.map((attempt) => attemptRow(attempt, started(attempt))),
    ["PEAK MEMORY", "CPU", "HOST", "WORKER"],
  );
  return done;
}

/** The files with an attempt's output. */
const logsOf = (path: string, isStored: boolean, { split }: JobRules) =>
  isStored ? { log: null } : { log: path, ...(split && { stderr_log: errorLogPath(path) }) };

function facts(job: Job, origin: JobOrigin | null, why: string | null): Fact[] {
  return [
    ["id", job.id],
    ["command", job.command],
    ["state", stateCell(job.state)],
    ["now", why],
    ["attempts", `${job.attempts} of at most ${job.max_retries + 1}`],
    ["priority", String(job.priority)],
    ["queue", job.queue],
    ["key", job.key],
    ...runFacts(job),
    [
      "by schedule",
      origin && `${origin.schedule}, ${origin.at === null ? "by hand" : `for ${isoTime(origin.at)}`}`,
    ],
    ["enqueued", isoTime(job.created_at)],
    ["runs next", job.next_run_at === null ? null : isoTime(job.next_run_at)],
    ["started", job.started_at === null ? null : isoTime(job.started_at)],
    ["finished", job.finished_at === null ? null : isoTime(job.finished_at)],
    ["last exit status", job.last_exit_code === null ? null : String(job.last_exit_code)],
    ["last error", job.last_error],
    ["worker", job.worker_id],
  ];
}

const attemptRow = (attempt: Attempt, started: string): Cell[] => [
  String(attempt.number),
  resultText(attempt),
  started,
  attempt.duration === null ? "" : formatDuration(attempt.duration),
  attempt.cpu_time === null ? "" : formatDuration(attempt.cpu_time),
  attempt.peak_memory === null ? "" : formatSize(attempt.peak_memory),
  formatSize(attempt.log_bytes) + leftOutWords(attempt),
  attempt.worker_id,
  attempt.host,
  [attempt.error, attempt.note].filter(Boolean).join("; "),
];

function leftOutWords({ log_truncated, log_left_out }: Attempt): string {
  if (!log_truncated) return "";
  return log_left_out === null ? " (cut)" : `, ${formatSize(log_left_out)} left out`;
}

function resultText({ result, exit_code, signal }: Attempt): string {
  if (result === null) return "running";
  if (result === "exited") return `exit ${exit_code}`;
  if (result === "signalled") return String(signal);
  return result.replaceAll("_", " ");
}
