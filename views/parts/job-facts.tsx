// What is known of one job, name by name.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { formatDuration } from "../../src/domain/duration.ts";
import type { Job } from "../../src/domain/job.ts";
import { ruleFacts } from "../../src/domain/rule-words.ts";
import type { JobRules } from "../../src/domain/rules.ts";
import type { JobOrigin } from "../../src/domain/schedule.ts";
import { shownEnv } from "../../src/domain/secrets.ts";
import { amount } from "./amount.ts";
import { Tags } from "./job-row.tsx";
import { Duration, Moment } from "./time.tsx";
import { link, type Ui } from "./ui.ts";
import { VisibleText } from "./visible-text.tsx";

interface JobFactsProps {
  readonly ui: Ui;
  readonly job: Job;
  readonly enqueuedBy: string | undefined;
  readonly origin: JobOrigin | null;
}

export function JobFacts({ ui, job, enqueuedBy, origin }: JobFactsProps) {
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
      {job.key === null ? (
        ""
      ) : (
        <>
          <dt>Key</dt>
          <dd>
            <VisibleText text={job.key} />
          </dd>
        </>
      )}
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
      <RuleFacts rules={job.rules} />
      <dt>Enqueued</dt>
      <dd>
        <Moment at={job.created_at} as="clock" />
        {enqueuedBy === undefined ? "" : <span safe>{` via web by ${enqueuedBy}`}</span>}
      </dd>
      {origin === null ? (
        ""
      ) : (
        <>
          <dt>Schedule</dt>
          <dd>
            <a href={link(ui, "/schedules")} safe>
              {origin.schedule}
            </a>
            {origin.at === null ? ", by hand" : <>, for {<Moment at={origin.at} as="clock" />}</>}
          </dd>
        </>
      )}
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
        <EnvList env={shownEnv(job.env)} />
      </dd>
    </dl>
  );
}

/** What else was said of how it is run and judged. */
export function RuleFacts({ rules }: { rules: JobRules }) {
  return (
    <>
      {ruleFacts(rules).map(([name, value]) => (
        <>
          <dt safe>{name.replace(/^./, (letter) => letter.toUpperCase())}</dt>
          <dd safe>{value}</dd>
        </>
      ))}
    </>
  );
}

/** The variables on top of the worker's own, as they are to be shown. */
export function EnvList({
  env,
  isOpen = false,
}: {
  env: Readonly<Record<string, string>>;
  isOpen?: boolean;
}) {
  const variables = Object.entries(env);
  if (variables.length === 0) return "the worker's own";
  return (
    <details id="env" open={isOpen}>
      <summary safe>{amount(variables.length, "variable")}</summary>
      <ul class="env">
        {variables.map(([name, value]) => (
          <li>
            <code>
              <span safe>{name}</span>=<VisibleText text={value} />
            </code>
          </li>
        ))}
      </ul>
    </details>
  );
}
