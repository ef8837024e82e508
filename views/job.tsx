// One job: what it is, what became of each attempt, and what it printed.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Attempt } from "../src/domain/attempt.ts";
import type { Relatives } from "../src/domain/dependencies.ts";
import { isSettled, isWaiting, type Job } from "../src/domain/job.ts";
import type { JobOrigin } from "../src/domain/schedule.ts";
import { Act, Ask } from "./parts/actions.tsx";
import { StateBadge } from "./parts/badge.tsx";
import { Family } from "./parts/family.tsx";
import { JobFacts } from "./parts/job-facts.tsx";
import { isScheduled, retryWord } from "./parts/job-row.tsx";
import { LogPanel, type LogPart } from "./parts/log.tsx";
import { Timeline } from "./parts/timeline.tsx";
import { link, may, type Ui } from "./parts/ui.ts";
import { VisibleText } from "./parts/visible-text.tsx";

export interface JobProps {
  readonly ui: Ui;
  readonly job: Job;
  readonly attempts: readonly Attempt[];
  readonly log: LogPart | undefined;
  /** Who enqueued it by the dashboard or the API. */
  readonly enqueuedBy: string | undefined;
  /** The schedule that made it; null for none. */
  readonly origin: JobOrigin | null;
  readonly relatives: Relatives;
  /** Why it does not run, or why nobody looks after it; undefined when there is no need to say. */
  readonly why?: string | undefined;
}

export function JobPage({ ui, job, attempts, log, enqueuedBy, origin, relatives, why }: JobProps) {
  return (
    <>
      <JobHead ui={ui} job={job} />
      {why === undefined ? (
        ""
      ) : (
        <p class="hint" id="why" safe>
          {why}
        </p>
      )}
      <div class="columns">
        <section class="panel" aria-labelledby="facts-title">
          <h2 id="facts-title">Facts</h2>
          <JobFacts ui={ui} job={job} enqueuedBy={enqueuedBy} origin={origin} />
        </section>
        <section class="panel" aria-labelledby="timeline-title">
          <h2 id="timeline-title">Timeline</h2>
          <Timeline ui={ui} job={job} attempts={attempts} shown={log?.attempt} />
        </section>
      </div>
      <Family ui={ui} relatives={relatives} />
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
        <StateBadge state={job.state} scheduled={isScheduled(job, ui.now)} held={job.held} />
      </h1>
      <pre class="command-block" tabindex="0">
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
      {isWaiting(state) ? <HoldAct ui={ui} job={job} /> : ""}
      {(isWaiting(state) || state === "dead") && may(ui, "enqueue") ? (
        <a class="button" href={link(ui, `/jobs/${id}/edit`)} id="edit">
          {state === "dead" ? "Edit and retry" : "Edit"}
        </a>
      ) : (
        ""
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

/** One button under one id, so that the focus stays on it when it turns. */
function HoldAct({ ui, job: { id, held } }: Pick<JobProps, "ui" | "job">) {
  return held ? (
    <Act ui={ui} to={`/jobs/${id}/release`} word="Release" look="primary" id="hold" />
  ) : (
    <Act ui={ui} to={`/jobs/${id}/hold`} word="Hold" id="hold" />
  );
}
