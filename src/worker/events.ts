// What happens in a worker process, as data, and the line that tells people of it.

import type { Ending } from "../domain/attempt.ts";
import { formatDuration } from "../domain/duration.ts";
import type { Job } from "../domain/job.ts";
import { cutText, oneLine } from "../domain/one-line.ts";
import { isoTime } from "../domain/time.ts";
import type { StopOrder } from "../domain/worker.ts";
import type { TryOutcome } from "../store/alerts.ts";
import type { RescuedJob } from "./rescuer.ts";

/** Those with a `worker_id` are about one worker, the others about all of the process's. */
export type WorkerEvent =
  | { readonly kind: "started"; readonly worker_id: string; readonly queues: readonly string[] | null }
  | { readonly kind: "waiting"; readonly until: number | null; readonly paused: readonly string[] }
  | { readonly kind: "executing"; readonly worker_id: string; readonly job: Job }
  | SettledEvent
  | { readonly kind: "stale"; readonly worker_id: string; readonly job: Job }
  | { readonly kind: "taken_over"; readonly job: Job; readonly from: RescuedJob["from"] }
  | { readonly kind: "lease_ends"; readonly jobs: readonly Job[] }
  | { readonly kind: "expelled"; readonly jobs: readonly Job[] }
  | { readonly kind: "trouble"; readonly message: string }
  | { readonly kind: "trouble_over" }
  | { readonly kind: "hindrance"; readonly message: string }
  | { readonly kind: "hindrance_over" }
  | { readonly kind: "scheduled"; readonly schedule: string; readonly job: Job }
  | { readonly kind: "missed" | "skipped"; readonly schedule: string; readonly at: number }
  | { readonly kind: "replaced"; readonly schedule: string; readonly job: Job }
  | { readonly kind: "unreadable"; readonly schedule: string; readonly message: string }
  | {
      readonly kind: "alerted";
      readonly alert: string;
      readonly outcome: Exclude<TryOutcome, { kind: "broken_off" }>;
    }
  | { readonly kind: "stopping"; readonly order: StopOrder; readonly jobs: readonly Job[] }
  /** Has to stop, and the store does not hear how these ended. */
  | { readonly kind: "unsettled"; readonly order: StopOrder; readonly jobs: readonly Job[] }
  | { readonly kind: "stopped"; readonly worker_id: string };

/** The job as it was settled when this attempt ended. */
export interface SettledEvent {
  readonly kind: "settled";
  readonly worker_id: string;
  readonly attempt: number;
  readonly job: Job;
  readonly ending: Ending;
}

export function eventLine(event: WorkerEvent): string {
  switch (event.kind) {
    case "started":
      return `started, serving ${event.queues?.join(", ") ?? "all queues"}`;
    case "waiting":
      return waitingLine(event.until, event.paused);
    case "executing":
      return `executing ${jobLine(event.job)}`;
    case "settled":
      return settledLine(event.job, event.ending);
    case "stale":
      return `job ${event.job.id} was taken by another worker; its result here is dropped`;
    case "taken_over":
      return takenOverLine(event.job, event.from);
    case "lease_ends":
      return `the database has not answered for so long that others may run what runs here: ending ${idsOf(event.jobs)}`;
    case "expelled":
      return `this process counted as gone, and others run its jobs: entering it anew${event.jobs.length > 0 ? `, ending ${idsOf(event.jobs)}` : ""}`;
    case "trouble":
      return `${event.message}; running commands go on, and their results are kept until it answers`;
    case "trouble_over":
      return "the database answers again";
    case "hindrance":
      return `no job can be started: ${event.message}; looking again until it can`;
    case "hindrance_over":
      return "jobs can be started again";
    case "scheduled":
      return `schedule ${event.schedule} makes job ${event.job.id} for ${isoTime(event.job.run_at)}`;
    case "missed":
      return `schedule ${event.schedule} missed ${isoTime(event.at)}: no worker ran`;
    case "skipped":
      return `schedule ${event.schedule} skips ${isoTime(event.at)}: its last job is not settled`;
    case "replaced":
      return `schedule ${event.schedule} replaces job ${event.job.id}`;
    case "unreadable":
      return `schedule ${event.schedule} cannot be kept: ${event.message}`;
    case "alerted":
      return alertedLine(event.alert, event.outcome);
    case "stopping": {
      return `${stopWords[event.order]} ${idsOf(event.jobs)}${event.order === "finish" ? "; once more gives back" : ""}`;
    }
    case "unsettled":
      return event.order === "finish"
        ? `waiting to store how ${idsOf(event.jobs)} ended; once more leaves that to the next worker`
        : `leaving to the next worker how ${idsOf(event.jobs)} ended`;
    case "stopped":
      return "stopped";
    default:
      return event satisfies never;
  }
}

function waitingLine(until: number | null, paused: readonly string[]): string {
  const what = until === null ? "waiting for jobs" : `waiting until ${isoTime(until)}`;
  return paused.length === 0 ? what : `${what}; paused: ${paused.join(", ")}`;
}

function alertedLine(alert: string, outcome: Extract<WorkerEvent, { kind: "alerted" }>["outcome"]): string {
  if (outcome.kind === "sent") return `alert ${alert} delivered a message (${outcome.answer})`;
  const { retryInMs, answer } = outcome;
  const next =
    retryInMs === null ? "it is given up" : `again in ${formatDuration(Math.round(retryInMs / 1000))}`;
  return `alert ${alert} could not deliver a message (${answer}): ${next}`;
}

const idsOf = (jobs: readonly Job[]) => jobs.map(({ id }) => id).join(", ");

function takenOverLine({ id }: Job, from: RescuedJob["from"]): string {
  if (from === "an unknown worker")
    return `job ${id} ran by a worker that was forgotten, or before this database was copied, and is lost`;
  if (from === "a vanished machine")
    return `job ${id} ran on a machine that was not heard of for too long, and is lost`;
  return `took over job ${id} from worker process ${from}, which is dead`;
}

const stopWords: Readonly<Record<StopOrder, string>> = {
  finish: "finishing",
  release: "giving back",
  leave: "leaving to the next worker:",
};

const shownCommandLength = 100;

/** `k3j9x: ffmpeg -i in.mov out.mp4`, on one line. */
function jobLine(job: Job): string {
  return `${job.id}: ${cutText(oneLine(job.command).trim(), shownCommandLength)}`;
}

/** What became of a job when an attempt ended. */
function settledLine(job: Job, ending: Ending): string {
  const note = ending.note === null ? "" : ` (${ending.note})`;
  return `job ${job.id} ${became(job, ending)}${note}`;
}

function became(job: Job, ending: Ending): string {
  const how = ending.result === "timed_out" ? `timed out after ${formatDuration(job.timeout)}` : "failed";
  switch (job.state) {
    case "completed":
      return `completed in ${formatDuration(ending.duration)}`;
    case "failed":
      return `${how} (${ending.error}), will retry in ${waitOf(job)} (retry ${job.attempts} of ${job.max_retries})`;
    case "dead":
      return `${how}, moved to the dead letter queue after ${retries(job)}: ${job.last_error}`;
    case "cancelled":
      return "was cancelled";
    case "pending":
      if (ending.result === "released") return "was given back to the queue";
      return ending.result === "exited" || ending.result === "snoozed"
        ? `asked to be run again in ${waitOf(job)}`
        : `runs again (${ending.error})`;
    case "processing":
      return "runs elsewhere";
    default:
      return job.state satisfies never;
  }
}

const waitOf = ({ next_run_at, updated_at }: Job) =>
  formatDuration(Math.max(0, (next_run_at ?? 0) - updated_at) / 1000);

const retries = ({ attempts }: Job) => `${Math.max(0, attempts - 1)} ${attempts === 2 ? "retry" : "retries"}`;
