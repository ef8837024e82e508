// The list of jobs: filters, rows to tick, and what can be done with them.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { type Job, type JobState, jobStates } from "../src/domain/job.ts";
import type { Stats } from "../src/domain/stats.ts";
import { grouped } from "./parts/amount.ts";
import { Empty } from "./parts/empty.tsx";
import { JobTable } from "./parts/job-row.tsx";
import { type Paging, PagingBar } from "./parts/paging.tsx";
import { link, may, type Ui } from "./parts/ui.ts";

export interface Filter {
  readonly state?: JobState | undefined;
  readonly queue?: string | undefined;
  readonly tag?: string | undefined;
  readonly search?: string | undefined;
}

export interface JobsProps {
  readonly ui: Ui;
  readonly jobs: readonly Job[];
  readonly filter: Filter;
  readonly stats: Stats;
  readonly queues: readonly string[];
  readonly paging: Paging;
  /** How far a search looked, when not through everything. */
  readonly looked?: string | undefined;
}

export function Jobs({ ui, jobs, filter, stats, queues, paging, looked }: JobsProps) {
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  return (
    <>
      <h1>Jobs</h1>
      <StateTabs ui={ui} filter={filter} stats={stats} />
      <Filters ui={ui} filter={filter} queues={queues} />
      {jobs.length === 0 ? (
        isFiltered ? (
          <Empty
            title={`No job ${filterWords(filter)}`}
            hint={looked ?? "Change the filter above, or take it away."}
          />
        ) : (
          <Empty
            title="There is no job yet"
            hint="Store a first one:"
            command="queuectl enqueue 'echo hello'"
          />
        )
      ) : (
        <>
          <BulkBar ui={ui} filter={filter} total={paging.total} />
          <JobTable ui={ui} jobs={jobs} form="bulk" caption={`Jobs ${filterWords(filter)}`} />
          {looked === undefined ? (
            ""
          ) : (
            <p class="hint" safe>
              {looked}
            </p>
          )}
        </>
      )}
      <PagingBar ui={ui} {...paging} />
    </>
  );
}

/** The filter in words, as a sentence goes on: `that are dead, in queue mail`. */
export function filterWords({ state, queue, tag, search }: Filter): string {
  const parts = [
    state === undefined ? undefined : `that ${state === "processing" ? "is running" : `is ${state}`}`,
    queue === undefined ? undefined : `in queue ${queue}`,
    tag === undefined ? undefined : `with tag ${tag}`,
    search === undefined ? undefined : `with “${search}” in id or command`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

const query = ({ state, queue, tag, search }: Filter) => ({ state, queue, tag, q: search });

function StateTabs({ ui, filter, stats }: Pick<JobsProps, "ui" | "filter" | "stats">) {
  const tab = (state: JobState | undefined, word: string, count: number) => (
    <a
      href={link(ui, "/jobs", query({ ...filter, state }))}
      aria-current={filter.state === state ? "true" : undefined}
      class={state === undefined ? "" : `is-${state}`}
    >
      <span safe>{word}</span>
      <span class="count" safe>
        {grouped(count)}
      </span>
    </a>
  );
  return (
    <nav class="states" aria-label="States">
      {tab(undefined, "all", stats.total)}
      {jobStates.map((state) => tab(state, state === "failed" ? "retrying" : state, stats[state]))}
    </nav>
  );
}

function Filters({ ui, filter, queues }: Pick<JobsProps, "ui" | "filter" | "queues">) {
  return (
    <search>
      <form class="filters" method="get" action={link(ui, "/jobs")} id="filters">
        {filter.state === undefined ? "" : <input type="hidden" name="state" value={filter.state} />}
        <label class="field is-wide">
          <span class="unseen">Search in id and command</span>
          <input
            type="search"
            name="q"
            id="q"
            value={filter.search ?? ""}
            placeholder="Search id or command  ( / )"
            maxlength="200"
          />
        </label>
        <label class="field">
          <span class="unseen">Queue</span>
          <input
            name="queue"
            id="filter-queue"
            list="queues"
            value={filter.queue ?? ""}
            placeholder="Queue"
            size="12"
          />
        </label>
        <datalist id="queues">
          {queues.map((queue) => (
            <option value={queue} />
          ))}
        </datalist>
        <label class="field">
          <span class="unseen">Tag</span>
          <input name="tag" id="filter-tag" value={filter.tag ?? ""} placeholder="Tag" size="10" />
        </label>
        <button type="submit" class="button">
          Filter
        </button>
        {(filter.queue ?? filter.tag ?? filter.search) ? (
          <a class="button is-quiet" href={link(ui, "/jobs", { state: filter.state })}>
            Clear
          </a>
        ) : (
          ""
        )}
      </form>
    </search>
  );
}

/** Acts on the ticked rows, or on all that match: both ask first, with the number. */
function BulkBar({ ui, filter, total }: { ui: Ui; filter: Filter; total: number | undefined }) {
  if (!may(ui, "operate")) return "";
  const match = query(filter);
  return (
    <form
      id="bulk"
      class="bulk"
      method="get"
      action={link(ui, "/confirm/jobs")}
      hx-get={link(ui, "/p/confirm/jobs")}
      hx-target="#dialog"
      hx-nonce={ui.nonce}
    >
      {Object.entries(match).map(([name, value]) =>
        value === undefined ? "" : <input type="hidden" name={name} value={value} />,
      )}
      <input type="hidden" name="back" value={`/jobs${link(ui, "", match).slice(ui.base.length)}`} />
      <span id="ticked">With ticked rows</span>
      <button type="submit" class="button" name="do" value="retry" id="bulk-retry">
        Retry
      </button>
      <button type="submit" class="button" name="do" value="hold" id="bulk-hold">
        Hold
      </button>
      <button type="submit" class="button" name="do" value="release" id="bulk-release">
        Release
      </button>
      <button type="submit" class="button" name="do" value="cancel" id="bulk-cancel">
        Cancel
      </button>
      <button type="submit" class="button is-danger" name="do" value="delete" id="bulk-delete">
        Delete
      </button>
      <label class="check">
        <input type="checkbox" name="all" value="yes" id="all-matching" />
        {total === undefined ? "all that match" : <span safe>{`all ${grouped(total)} that match`}</span>}
      </label>
    </form>
  );
}
