// The first page: how the queue does, what needs somebody's attention, and what happened last.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { PropsWithChildren } from "@kitajs/html";
import { formatDuration } from "../src/domain/duration.ts";
import type { Job } from "../src/domain/job.ts";
import type { Overview } from "../src/domain/overview.ts";
import { percentText } from "../src/domain/stats.ts";
import { amount, grouped } from "./parts/amount.ts";
import { Attention } from "./parts/attention.tsx";
import { StateDonut, ThroughputBars } from "./parts/charts.tsx";
import { Empty } from "./parts/empty.tsx";
import { JobTable } from "./parts/job-row.tsx";
import { Moment } from "./parts/time.tsx";
import { link, type Ui } from "./parts/ui.ts";

export interface OverviewProps {
  readonly ui: Ui;
  readonly overview: Overview;
  readonly recent: readonly Job[];
}

export function OverviewPage({ ui, overview, recent }: OverviewProps) {
  const { stats } = overview;
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <Cards ui={ui} overview={overview} />
      <Attention ui={ui} overview={overview} />
      {stats.total === 0 ? (
        ""
      ) : (
        <div class="charts">
          <section class="panel" aria-labelledby="states-title">
            <h2 id="states-title">Jobs by state</h2>
            <StateDonut ui={ui} stats={stats} />
          </section>
          <section class="panel" aria-labelledby="runs-title">
            <ThroughputBars ui={ui} throughput={overview.throughput} />
          </section>
        </div>
      )}
      <section aria-labelledby="recent-title" class="recent">
        <div class="panel-head">
          <h2 id="recent-title">Newest jobs</h2>
          <span class="spring" />
          <a href={link(ui, "/jobs")}>All jobs</a>
        </div>
        {recent.length === 0 ? (
          <Empty
            title="The queue is empty"
            hint="Store a first job, and start a worker to run it:"
            command="queuectl enqueue 'echo hello' && queuectl worker"
          />
        ) : (
          <JobTable ui={ui} jobs={recent} columns="few" caption="The newest jobs" />
        )}
      </section>
    </>
  );
}

function Cards({ ui, overview }: Pick<OverviewProps, "ui" | "overview">) {
  const { stats, p95_duration, oldest_waiting_at, busy_workers } = overview;
  const waiting = stats.pending + stats.failed;
  const rate = stats.success_rate;
  return (
    <div class="cards">
      <Card ui={ui} to="/jobs" word="Total" figure={grouped(stats.total)}>
        {stats.processing === 0 ? "none" : <span safe>{grouped(stats.processing)}</span>} running
      </Card>
      <Card ui={ui} to="/jobs?state=pending" word="Waiting" figure={grouped(waiting)}>
        {oldest_waiting_at === null ? (
          "nothing is due"
        ) : (
          <>
            oldest <Moment at={oldest_waiting_at} as="age" />
          </>
        )}
      </Card>
      <Card
        ui={ui}
        to="/jobs?state=completed"
        word="Completed"
        figure={grouped(stats.completed)}
        look="completed"
      >
        <span safe>{`${amount(stats.success_runs, "run")} succeeded`}</span>
      </Card>
      <Card
        ui={ui}
        to="/jobs?state=failed"
        word="Failed"
        figure={grouped(stats.failed)}
        look={stats.failed > 0 ? "failed" : undefined}
      >
        <span safe>{`${amount(stats.failed_runs, "run")} failed`}</span>
      </Card>
      <Card
        ui={ui}
        to="/dlq"
        word="Dead"
        figure={grouped(stats.dead)}
        look={stats.dead > 0 ? "dead" : undefined}
      >
        {stats.dead > 0 ? "in the dead letters" : "no dead letter"}
      </Card>
      <Card
        ui={ui}
        to="/jobs?state=completed"
        word="Average run"
        figure={stats.avg_duration === null ? "–" : formatDuration(stats.avg_duration)}
      >
        <span safe>
          {p95_duration === null ? "no run in the last day" : `95 % under ${formatDuration(p95_duration)}`}
        </span>
      </Card>
      <Card ui={ui} to="/jobs" word="Success rate" figure={rate === null ? "–" : percentText(rate)}>
        of all that ended
      </Card>
      <Card
        ui={ui}
        to="/workers"
        word="Workers busy"
        figure={`${busy_workers} of ${stats.active_workers}`}
        look={stats.active_workers === 0 && waiting > 0 ? "failed" : undefined}
      >
        {stats.active_workers === 0
          ? "none runs"
          : stats.active_workers === busy_workers
            ? "all at work"
            : "ready for more"}
      </Card>
    </div>
  );
}

type CardProps = PropsWithChildren<{
  readonly ui: Ui;
  readonly to: string;
  readonly word: string;
  readonly figure: string;
  readonly look?: "completed" | "failed" | "dead" | undefined;
}>;

function Card({ ui, to, word, figure, look, children }: CardProps) {
  return (
    <a class={look === undefined ? "card" : `card is-${look}`} href={link(ui, to)}>
      <span class="card-word" safe>
        {word}
      </span>
      <span class="card-figure" safe>
        {figure}
      </span>
      <span class="card-more">{children}</span>
    </a>
  );
}
