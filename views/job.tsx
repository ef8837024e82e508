// One job: what it is, what became of each attempt, and what it printed.
/** @jsxImportSource @kitajs/html */

import type { Attempt } from "../src/domain/attempt.ts";
import { formatDuration } from "../src/domain/duration.ts";
import { resultWords } from "../src/domain/exit-words.ts";
import { isSettled, type Job } from "../src/domain/job.ts";
import { formatSize } from "../src/domain/settings.ts";
import { Act, Ask } from "./parts/actions.tsx";
import { attemptShape, Icon, StateBadge } from "./parts/badge.tsx";
import { isScheduled, retryWord, Tags } from "./parts/job-row.tsx";
import { LogPanel, type LogPart } from "./parts/log.tsx";
import { Duration, Moment } from "./parts/time.tsx";
import { link, may, type Ui } from "./parts/ui.ts";
import { VisibleText } from "./parts/visible-text.tsx";

export interface JobProps {
  readonly ui: Ui;
  readonly job: Job;
  readonly attempts: readonly Attempt[];
  readonly log: LogPart | undefined;
}

export function JobPage({ ui, job, attempts, log }: JobProps) {
  return (
    <>
      <JobHead ui={ui} job={job} />
      <div class="columns">
        <section class="panel" aria-labelledby="facts-title">
          <h2 id="facts-title">Facts</h2>
          <Facts ui={ui} job={job} />
        </section>
        <section class="panel" aria-labelledby="timeline-title">
          <h2 id="timeline-title">Timeline</h2>
          <Timeline ui={ui} job={job} attempts={attempts} shown={log?.attempt} />
        </section>
      </div>
      <LogPanel ui={ui} job={job} attempts={attempts} log={log} />
    </>
  );
}

function JobHead({ ui, job }: Pick<JobProps, "ui" | "job">) {
  return (
    <div class="job-head">
      <p class="trail">
        <a href={link(ui, "/jobs")}>Jobs</a>
      </p>
      <h1>
        <span class="unseen">Job </span>
        <span class="id" safe>
          {job.id}
        </span>{" "}
        <StateBadge state={job.state} scheduled={isScheduled(job, ui.now)} />
      </h1>
      <pre class="command-block">
        <code>
          <VisibleText text={job.command} />
        </code>
      </pre>
      {job.last_error === null || job.state === "completed" ? (
        ""
      ) : (
        <p class="error-line" safe>
          {job.last_error}
        </p>
      )}
      {may(ui, "operate") ? <JobActions ui={ui} job={job} /> : ""}
    </div>
  );
}

function JobActions({ ui, job }: Pick<JobProps, "ui" | "job">) {
  const { id, state } = job;
  return (
    <div class="actions">
      {state === "processing" ? (
        ""
      ) : (
        <Act
          ui={ui}
          to={`/jobs/${id}/retry`}
          word={retryWord(job)}
          look={state === "dead" ? "primary" : "plain"}
          id="retry"
        />
      )}
      {isSettled(state) ? "" : <Ask ui={ui} about={`cancel/${id}`} word="Cancel" id="cancel" look="danger" />}
      {state === "processing" ? (
        ""
      ) : (
        <Ask ui={ui} about={`delete/${id}`} word="Delete" id="delete" look="danger" />
      )}
      {may(ui, "enqueue") ? (
        <a class="button" href={link(ui, "/enqueue", { like: id })} id="clone">
          Copy to a new job
        </a>
      ) : (
        ""
      )}
      <code class="same-as" title="The same on the command line" safe>
        {`queuectl show ${id}`}
      </code>
    </div>
  );
}

function Facts({ ui, job }: Pick<JobProps, "ui" | "job">) {
  const env = Object.entries(job.env);
  return (
    <dl class="facts">
      <dt>Runs</dt>
      <dd>
        {job.attempts} of at most {job.max_retries + 1}
      </dd>
      <dt>Queue</dt>
      <dd>
        <a href={link(ui, "/jobs", { queue: job.queue })} safe>
          {job.queue}
        </a>
        , priority {job.priority}
      </dd>
      {job.tags.length === 0 ? (
        ""
      ) : (
        <>
          <dt>Tags</dt>
          <dd>
            <Tags ui={ui} job={job} />
          </dd>
        </>
      )}
      <dt>Timeout</dt>
      <dd safe>{job.timeout === 0 ? "none" : formatDuration(job.timeout)}</dd>
      <dt>Enqueued</dt>
      <dd>
        <Moment at={job.created_at} as="clock" />
      </dd>
      {job.next_run_at === null ? (
        ""
      ) : (
        <>
          <dt>Next run</dt>
          <dd>
            <Moment at={job.next_run_at} />
          </dd>
        </>
      )}
      {job.started_at === null ? (
        ""
      ) : (
        <>
          <dt>Started</dt>
          <dd>
            <Moment at={job.started_at} as="clock" />
          </dd>
        </>
      )}
      {job.finished_at === null ? (
        ""
      ) : (
        <>
          <dt>Ended</dt>
          <dd>
            <Moment at={job.finished_at} as="clock" />
          </dd>
        </>
      )}
      {job.last_duration === null ? (
        ""
      ) : (
        <>
          <dt>Last run took</dt>
          <dd>
            <Duration seconds={job.last_duration} />
          </dd>
        </>
      )}
      {job.worker_id === null ? (
        ""
      ) : (
        <>
          <dt>Worker</dt>
          <dd safe>{job.worker_id}</dd>
        </>
      )}
      <dt>Directory</dt>
      <dd class="path" safe>
        {job.cwd}
      </dd>
      <dt>Environment</dt>
      <dd>
        {env.length === 0 ? (
          "the worker's own"
        ) : (
          <details id="env">
            <summary>
              {env.length} {env.length === 1 ? "variable" : "variables"}
            </summary>
            <ul class="env">
              {env.map(([name, value]) => (
                <li>
                  <code>
                    <span safe>{name}</span>=<VisibleText text={value} />
                  </code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </dd>
    </dl>
  );
}

interface TimelineProps extends Pick<JobProps, "ui" | "job" | "attempts"> {
  readonly shown: number | undefined;
}

/** Attempts beyond these are folded away: a job may have had a thousand. */
const mostShown = 12;

function Timeline({ ui, job, attempts, shown }: TimelineProps) {
  const left = Math.max(0, attempts.length - mostShown);
  return (
    <ol class="timeline">
      <li class="is-pending">
        <Icon shape="pending" />
        <span class="what">enqueued</span>
        <Moment at={job.created_at} as="clock" />
      </li>
      {left === 0 ? (
        ""
      ) : (
        <li class="gap">
          {left} earlier {left === 1 ? "attempt" : "attempts"}, see the log
        </li>
      )}
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

interface AttemptStepProps extends Pick<JobProps, "ui" | "job"> {
  readonly attempt: Attempt;
  readonly before: Attempt | undefined;
  readonly shown: boolean;
}

function AttemptStep({ ui, job, attempt, before, shown }: AttemptStepProps) {
  const shape = attemptShape(attempt.result, attempt.exit_code);
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
          >{` · ${attempt.worker_id}${attempt.pid === null ? "" : ` · pid ${attempt.pid}`}${usage(attempt)}`}</span>
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

function usage({ cpu_time, peak_memory, log_bytes, log_truncated }: Attempt): string {
  const parts = [
    cpu_time === null ? undefined : `cpu ${formatDuration(cpu_time)}`,
    peak_memory === null ? undefined : formatSize(peak_memory),
    log_bytes === 0 ? undefined : `${formatSize(log_bytes)} printed${log_truncated ? ", cut" : ""}`,
  ];
  return parts.map((part) => (part === undefined ? "" : ` · ${part}`)).join("");
}

function NextStep({ job }: Pick<JobProps, "job">) {
  if (job.next_run_at === null) return "";
  return (
    <li class="is-scheduled">
      <Icon shape="scheduled" />
      <span class="what">{job.state === "failed" ? "next try" : "runs"}</span>
      <Moment at={job.next_run_at} />
    </li>
  );
}
