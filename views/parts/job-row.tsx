// A job in one line of a table; the jobs page, the overview and the dead letters share it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { exitWords } from "../../src/domain/exit-words.ts";
import type { Job } from "../../src/domain/job.ts";
import { Act, Ask } from "./actions.tsx";
import { amount } from "./amount.ts";
import { StateBadge } from "./badge.tsx";
import { Duration, Moment } from "./time.tsx";
import { link, may, type Ui } from "./ui.ts";
import { VisibleText } from "./visible-text.tsx";

export interface JobTableProps {
  readonly ui: Ui;
  readonly jobs: readonly Job[];
  /** The form that ticked rows belong to; without it rows cannot be ticked. */
  readonly form?: string;
  readonly columns?: "all" | "few" | "dead";
  readonly caption: string;
}

export function JobTable({ ui, jobs, form, columns = "all", caption }: JobTableProps) {
  const ticks = form !== undefined && may(ui, "operate");
  return (
    <div class="sheet">
      <table class="jobs">
        <caption class="unseen" safe>
          {caption}
        </caption>
        <thead>
          <tr>
            {ticks ? (
              <th class="tick">
                <input type="checkbox" id="tick-all" aria-label="Select all rows" hidden />
                <span class="unseen">Select</span>
              </th>
            ) : (
              ""
            )}
            <th>State</th>
            <th>Job</th>
            <th class="wide">Command</th>
            {columns === "dead" ? <th>Why</th> : <th class="roomy">Queue</th>}
            <th class="number roomy">Runs</th>
            <th class="number roomy">Took</th>
            <th class="when">When</th>
            {columns === "few" ? (
              ""
            ) : (
              <th>
                <span class="unseen">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <JobRow ui={ui} job={job} form={ticks ? form : undefined} columns={columns} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface JobRowProps {
  readonly ui: Ui;
  readonly job: Job;
  readonly form: string | undefined;
  readonly columns: "all" | "few" | "dead";
}

function JobRow({ ui, job, form, columns }: JobRowProps) {
  const place = link(ui, `/jobs/${job.id}`);
  return (
    <tr id={`job-${job.id}`}>
      {form === undefined ? (
        ""
      ) : (
        <td class="tick">
          <input type="checkbox" name="id" value={job.id} form={form} aria-label={`Select job ${job.id}`} />
        </td>
      )}
      <td>
        <StateBadge state={job.state} scheduled={isScheduled(job, ui.now)} held={job.held} />
      </td>
      <td>
        <a class="id" href={place} title={job.id} safe>
          {job.id}
        </a>
      </td>
      <td class="wide">
        <div class="task">
          <a class="command" href={place} title={job.command.slice(0, 1000)} tabindex="-1">
            <VisibleText text={job.command.slice(0, 400)} />
          </a>
          <Tags ui={ui} job={job} />
        </div>
      </td>
      {columns === "dead" ? (
        <td class="why" title={job.last_error ?? ""} safe>
          {whyText(job)}
        </td>
      ) : (
        <td class="roomy">
          <a class="chip" href={link(ui, "/jobs", { queue: job.queue })} safe>
            {job.queue}
          </a>
        </td>
      )}
      <td class="number roomy">
        {job.attempts}
        <span class="of">/{job.max_retries + 1}</span>
      </td>
      <td class="number roomy">
        <Duration seconds={job.last_duration} />
      </td>
      <td class="when">
        <When job={job} />
      </td>
      {columns === "few" ? "" : <RowActions ui={ui} job={job} />}
    </tr>
  );
}

export const isScheduled = (job: Job, now: number) => job.state === "pending" && (job.next_run_at ?? 0) > now;

/** Why a job is dead: its exit status in words where there are some, and else its error. */
function whyText(job: Job): string {
  const words = job.last_exit_code === null ? undefined : exitWords(job.last_exit_code);
  return words === undefined || job.last_exit_code === 124
    ? (job.last_error ?? "")
    : `exit ${job.last_exit_code}, ${words}`;
}

export function Tags({ ui, job }: { ui: Ui; job: Job }) {
  if (job.tags.length === 0) return "";
  return (
    <span class="tags">
      {job.tags.map((tag) => (
        <a class="tag" href={link(ui, "/jobs", { tag })} safe>
          {tag}
        </a>
      ))}
    </span>
  );
}

/** What a glance wants to know of a job's time. */
function When({ job }: { job: Job }) {
  switch (job.state) {
    case "pending":
    case "failed":
      if (job.next_run_at === null)
        return <span safe>{job.unmet === 0 ? "not by itself" : `after ${amount(job.unmet, "other")}`}</span>;
      return (
        <>
          <span class="unseen">next run </span>
          <Moment at={job.next_run_at} />
        </>
      );
    case "processing":
      return (
        <>
          for <Moment at={job.started_at} as="age" />
        </>
      );
    case "completed":
    case "dead":
    case "cancelled":
      return <Moment at={job.finished_at} />;
    default:
      return job.state satisfies never;
  }
}

function RowActions({ ui, job }: { ui: Ui; job: Job }) {
  if (!may(ui, "operate")) return <td class="do" />;
  const { state, id } = job;
  return (
    <td class="do">
      {state === "processing" ? (
        <Ask ui={ui} about={`cancel/${id}`} word="Cancel" label={`Cancel job ${id}`} id={`cancel-${id}`} />
      ) : (
        <Act
          ui={ui}
          to={`/jobs/${id}/retry`}
          word={retryWord(job)}
          label={`${retryWord(job)}: job ${id}`}
          id={`retry-${id}`}
        />
      )}
      {state === "dead" ? (
        <Ask
          ui={ui}
          about={`delete/${id}`}
          word="Delete"
          label={`Delete job ${id}`}
          id={`delete-${id}`}
          look="danger"
        />
      ) : (
        ""
      )}
    </td>
  );
}

export function retryWord(job: Job): string {
  if (job.state === "pending" || job.state === "failed") return "Run now";
  return job.state === "dead" ? "Retry" : "Run again";
}
