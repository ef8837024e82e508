// What became of a job so far, attempt by attempt, with the waits between them, and what comes next.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Attempt } from "../../src/domain/attempt.ts";
import { formatDuration } from "../../src/domain/duration.ts";
import { resultWords } from "../../src/domain/exit-words.ts";
import type { Job } from "../../src/domain/job.ts";
import { formatSize } from "../../src/domain/size.ts";
import { amount } from "./amount.ts";
import { attemptShape, Icon } from "./badge.tsx";
import { Duration, Moment } from "./time.tsx";
import { link, type Ui } from "./ui.ts";

interface TimelineProps {
  readonly ui: Ui;
  readonly job: Job;
  readonly attempts: readonly Attempt[];
  /** The attempt whose output is shown. */
  readonly shown: number | undefined;
}

/** Attempts beyond these are folded away: a job may have had a thousand. */
const mostShown = 12;

export function Timeline({ ui, job, attempts, shown }: TimelineProps) {
  const left = Math.max(0, attempts.length - mostShown);
  return (
    <ol class="timeline">
      <li class="is-pending">
        <Icon shape="pending" />
        <span class="what">enqueued</span>
        <Moment at={job.created_at} as="clock" />
      </li>
      {left === 0 ? "" : <li class="gap" safe>{`${amount(left, "earlier attempt")}, see the log`}</li>}
      {attempts.slice(left).map((attempt, index) => (
        <AttemptStep
          ui={ui}
          job={job}
          attempt={attempt}
          before={attempts[left + index - 1]}
          shown={shown === attempt.number}
        />
      ))}
      <NextStep job={job} />
    </ol>
  );
}

interface AttemptStepProps extends Pick<TimelineProps, "ui" | "job"> {
  readonly attempt: Attempt;
  readonly before: Attempt | undefined;
  readonly shown: boolean;
}

function AttemptStep({ ui, job, attempt, before, shown }: AttemptStepProps) {
  const shape = attemptShape(attempt);
  const since =
    before === undefined
      ? Math.max(job.created_at, Math.min(job.run_at, attempt.started_at))
      : before.finished_at;
  const waited = since === null ? 0 : (attempt.started_at - since) / 1000;
  return (
    <>
      {waited < 0.05 ? (
        ""
      ) : (
        <li class="wait">
          waited{" "}
          <span class="number" safe>
            {formatDuration(waited)}
          </span>
        </li>
      )}
      <li class={`is-${shape}`} id={`attempt-${attempt.number}`}>
        <Icon shape={shape} />
        <a
          class="what"
          href={link(ui, `/jobs/${job.id}`, { attempt: attempt.number })}
          aria-current={shown ? "true" : undefined}
        >
          Attempt {attempt.number} <span safe>{resultWords(attempt)}</span>
        </a>
        {attempt.duration === null ? (
          <Moment at={attempt.started_at} as="age" />
        ) : (
          <Duration seconds={attempt.duration} />
        )}
        <span class="more">
          <Moment at={attempt.started_at} as="clock" />
          <span
            safe
          >{` · ${attempt.worker_id} on ${attempt.host}${attempt.pid === null ? "" : ` · pid ${attempt.pid}`}${usage(attempt)}`}</span>
        </span>
        {attempt.note === null ? (
          ""
        ) : (
          <span class="note" safe>
            {attempt.note}
          </span>
        )}
      </li>
    </>
  );
}

function printed({ log_bytes, log_truncated, log_left_out }: Attempt): string | undefined {
  if (!log_truncated) return log_bytes === 0 ? undefined : `${formatSize(log_bytes)} printed`;
  if (log_left_out === null) return `${formatSize(log_bytes)} printed, cut`;
  return `${formatSize(log_bytes + log_left_out)} printed, ${formatSize(log_bytes)} kept`;
}

function usage(attempt: Attempt): string {
  const { cpu_time, peak_memory } = attempt;
  const parts = [
    cpu_time === null ? undefined : `cpu ${formatDuration(cpu_time)}`,
    peak_memory === null ? undefined : formatSize(peak_memory),
    printed(attempt),
  ];
  return parts.map((part) => (part === undefined ? "" : ` · ${part}`)).join("");
}

function NextStep({ job }: Pick<TimelineProps, "job">) {
  if (job.next_run_at === null) return "";
  return (
    <li class="is-scheduled">
      <Icon shape="scheduled" />
      <span class="what">{job.state === "failed" ? "next try" : "runs"}</span>
      <Moment at={job.next_run_at} />
    </li>
  );
}
