// The dead letter queue: jobs that are out of retries, to be looked at, tried again, or thrown away.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Job } from "../src/domain/job.ts";
import { Ask } from "./parts/actions.tsx";
import { Empty } from "./parts/empty.tsx";
import { JobTable } from "./parts/job-row.tsx";
import { PageHead } from "./parts/page-head.tsx";
import { type Paging, PagingBar } from "./parts/paging.tsx";
import { link, may, type Ui } from "./parts/ui.ts";

export interface DeadLettersProps {
  readonly ui: Ui;
  readonly jobs: readonly Job[];
  readonly dead: number;
  readonly search: string | undefined;
  readonly looked: string | undefined;
  readonly paging: Paging;
}

export function DeadLetters({ ui, jobs, dead, search, looked, paging }: DeadLettersProps) {
  return (
    <>
      <PageHead title="Dead letters">
        {may(ui, "operate") && dead > 0 ? (
          <>
            <Ask ui={ui} about="retry-all" word="Retry all" look="primary" id="retry-all" />
            <Ask ui={ui} about="purge" word="Purge" look="danger" id="purge" />
          </>
        ) : (
          ""
        )}
      </PageHead>
      <p class="lead">
        Jobs that failed more often than they may be retried. They stay here until somebody decides.
      </p>
      {dead === 0 ? (
        <Empty title="No dead letter" hint="Whatever ran, ran well or is still being tried." />
      ) : (
        <>
          <search>
            <form class="filters" method="get" action={link(ui, "/dlq")}>
              <label class="field is-wide">
                <span class="unseen">Search in id and command</span>
                <input
                  type="search"
                  name="q"
                  id="q"
                  value={search ?? ""}
                  placeholder="Search id or command  ( / )"
                  maxlength="200"
                />
              </label>
              <button type="submit" class="button">
                Search
              </button>
              {may(ui, "operate") && search !== undefined && jobs.length > 0 ? (
                <Ask
                  ui={ui}
                  about="jobs"
                  query={{ do: "retry", all: "yes", state: "dead", q: search }}
                  word="Retry all found"
                  id="retry-found"
                />
              ) : (
                ""
              )}
            </form>
          </search>
          {jobs.length === 0 ? (
            <Empty title="None of them matches" hint={looked ?? ""} />
          ) : (
            <JobTable ui={ui} jobs={jobs} columns="dead" caption="Dead letters" />
          )}
          {looked === undefined || jobs.length === 0 ? (
            ""
          ) : (
            <p class="hint" safe>
              {looked}
            </p>
          )}
          <PagingBar ui={ui} {...paging} />
        </>
      )}
    </>
  );
}
