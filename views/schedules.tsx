// The schedules: when each comes next, how its last job went, and what can be done with it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Schedule } from "../src/domain/schedule.ts";
import { Act, Ask, PauseOrResume } from "./parts/actions.tsx";
import { StateBadge } from "./parts/badge.tsx";
import { Empty } from "./parts/empty.tsx";
import { NewLink, PageHead } from "./parts/page-head.tsx";
import { type NamePaging, NamePagingBar } from "./parts/paging.tsx";
import { actions, Sheet } from "./parts/sheet.tsx";
import { Moment } from "./parts/time.tsx";
import { link, may, type Ui } from "./parts/ui.ts";
import { shortened, VisibleText } from "./parts/visible-text.tsx";

export interface SchedulesProps {
  readonly ui: Ui;
  readonly schedules: readonly Schedule[];
  readonly paging: NamePaging;
}

export function Schedules({ ui, schedules, paging }: SchedulesProps) {
  return (
    <>
      <PageHead title="Schedules">
        <NewLink ui={ui} to="/schedules/new" word="New schedule" id="new-schedule" />
      </PageHead>
      {paging.total === 0 ? (
        <Empty
          title="There is no schedule"
          hint="A command that runs again and again, at the times of a cron text:"
          command="queuectl schedule add nightly '30 2 * * *' './backup.sh'"
        />
      ) : (
        <ScheduleTable ui={ui} schedules={schedules} />
      )}
      <NamePagingBar ui={ui} shown={schedules.length} {...paging} />
    </>
  );
}

function ScheduleTable({ ui, schedules }: { ui: Ui; schedules: readonly Schedule[] }) {
  return (
    <Sheet
      caption="Schedules"
      columns={[
        "Name",
        "Times",
        ["Next", "when"],
        "Last job",
        ["Last time", "roomy when"],
        "Command",
        actions,
      ]}
    >
      {schedules.map((schedule) => (
        <ScheduleRow ui={ui} schedule={schedule} />
      ))}
    </Sheet>
  );
}

function ScheduleRow({ ui, schedule }: { ui: Ui; schedule: Schedule }) {
  const { name, cron, tz, paused, next_at, last_at, last_job, missed_at, skipped_at, job } = schedule;
  return (
    <tr id={`schedule-${name}`}>
      <td class="id" safe>
        {name}
      </td>
      <td>
        <code>
          <VisibleText text={cron} />
        </code>{" "}
        <span class="hint" safe>
          {tz}
        </span>
      </td>
      <td class="when" data-word={paused ? undefined : "next"}>
        {paused ? "paused" : <Moment at={next_at} />}
      </td>
      <td data-word="last job">
        {last_job === null ? (
          <span class="none">–</span>
        ) : (
          <a href={link(ui, `/jobs/${last_job.id}`)} aria-label={`Job ${last_job.id}, ${last_job.state}`}>
            <StateBadge state={last_job.state} />
          </a>
        )}
      </td>
      <td class="roomy when">
        <Moment at={last_at} />
        <Left word="missed" at={missed_at} since={last_at} />
        <Left word="skipped" at={skipped_at} since={last_at} />
      </td>
      <td class="asked">
        <code title={shortened(job.command)}>
          <VisibleText text={shortened(job.command)} />
        </code>
      </td>
      <td class="do">{may(ui, "operate") ? <Actions ui={ui} name={name} paused={paused} /> : ""}</td>
    </tr>
  );
}

/** A time after the last job that became none. */
function Left({ word, at, since }: { word: string; at: number | null; since: number | null }) {
  if (at === null || at < (since ?? 0)) return "";
  return (
    <span class="hint">
      {" · "}
      <span safe>{word}</span> <Moment at={at} />
    </span>
  );
}

function Actions({ ui, name, paused }: { ui: Ui; name: string; paused: boolean }) {
  const own = `/schedules/${name}`;
  return (
    <>
      <Act ui={ui} to={`${own}/run`} word="Run" label={`Run ${name} now`} id={`run-${name}`} />
      <PauseOrResume ui={ui} own={own} name={name} paused={paused} />
      <Ask
        ui={ui}
        about={`delete-schedule/${name}`}
        word="Delete"
        label={`Delete ${name}`}
        id={`delete-${name}`}
      />
    </>
  );
}
