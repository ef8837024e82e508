// Charts as drawings in the page itself: no script, readable in both colour schemes, and each with its numbers in words.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { jobStates } from "../../src/domain/job.ts";
import { type Bucket, type Span, spans, type Throughput } from "../../src/domain/overview.ts";
import type { Stats } from "../../src/domain/stats.ts";
import { grouped } from "./amount.ts";
import { stateWord } from "./badge.tsx";
import { link, type Ui } from "./ui.ts";

const radius = 15.915_494_3; // A circle whose circumference is 100, so that lengths on it are percentages.

export function StateDonut({ ui, stats }: { ui: Ui; stats: Stats }) {
  const present = jobStates.filter((state) => stats[state] > 0);
  let start = 0;
  const arcs = present.map((state) => {
    const share = (stats[state] / stats.total) * 100;
    const arc = { state, share, start };
    start += share;
    return arc;
  });
  return (
    <div class="donut">
      <svg
        viewBox="0 0 42 42"
        role="img"
        aria-label={`Jobs by state: ${present.map((state) => `${stats[state]} ${state}`).join(", ")}`}
      >
        {arcs.map(({ state, share, start }) => (
          <circle
            class={`arc is-${state}`}
            cx="21"
            cy="21"
            r={String(radius)}
            stroke-dasharray={dashes(share, present.length > 1 ? 0.6 : 0)}
            stroke-dashoffset={(25 - start).toFixed(2)}
          >
            <title safe>{`${stats[state]} ${state}`}</title>
          </circle>
        ))}
        <text x="21" y="20.6" class="donut-figure" safe>
          {short(stats.total)}
        </text>
        <text x="21" y="25.6" class="donut-word">
          jobs
        </text>
      </svg>
      <ul class="legend">
        {jobStates.map((state) => (
          <li>
            <a href={link(ui, "/jobs", { state })}>
              <span class={`swatch is-${state}`} />
              {stateWord(state)}
              <span class="number" safe>
                {grouped(stats[state])}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** An arc of this share, then a gap for the rest of the circle. */
function dashes(share: number, gap: number): string {
  const length = Math.max(share - gap, 0.2);
  return `${length.toFixed(2)} ${(100 - length).toFixed(2)}`;
}

/** `980`, `12.3k`, `4.1M`. */
function short(value: number): string {
  if (value < 10_000) return grouped(value);
  const [size, unit] = value < 1_000_000 ? [1000, "k"] : [1_000_000, "M"];
  return `${(value / size!).toFixed(1).replace(/\.0$/, "")}${unit}`;
}

const width = 600;
const height = 100;

export function ThroughputBars({ ui, throughput }: { ui: Ui; throughput: Throughput }) {
  const { span, buckets } = throughput;
  const most = Math.max(1, ...buckets.map(({ completed, failed }) => completed + failed));
  const top = niceTop(most);
  const step = width / buckets.length;
  const completed = sum(buckets, "completed");
  const failed = sum(buckets, "failed");
  return (
    <>
      <div class="panel-head">
        <h2 id="runs-title">Runs {spans[span].about}</h2>
        <span class="spring" />
        <SpanTabs ui={ui} span={span} />
      </div>
      <svg
        class="bars"
        viewBox={`0 -4 ${width + 34} ${height + 22}`}
        role="img"
        aria-label={`Runs ${spans[span].about}: ${completed} completed, ${failed} failed`}
      >
        {[0, 0.5, 1].map((part) => (
          <>
            <path class="grid" d={`M0 ${height - part * height}H${width}`} />
            <text class="axis" x={String(width + 5)} y={String(height - part * height + 3.5)} safe>
              {short(top * part)}
            </text>
          </>
        ))}
        {buckets.map((bucket, index) => (
          <Bar bucket={bucket} span={span} x={index * step} step={step} top={top} />
        ))}
        {[0, Math.floor(buckets.length / 2), buckets.length - 1].map((index) => (
          <text
            class={`axis is-${index === 0 ? "first" : "later"}`}
            x={(index * step + (index === 0 ? 0 : step / 2)).toFixed(1)}
            y={String(height + 14)}
            safe
          >
            {axisTime(buckets[index]!.from, span)}
          </text>
        ))}
      </svg>
      <p class="chart-words">
        <span class="swatch is-completed" /> <span safe>{`${grouped(completed)} completed`}</span>
        <span class="swatch is-failed" /> <span safe>{`${grouped(failed)} failed`}</span>
        <span class="hint" safe>
          {rateText(completed + failed, span)}
        </span>
      </p>
      <details class="numbers" id="numbers">
        <summary>The same in numbers</summary>
        <table>
          <thead>
            <tr>
              <th>From</th>
              <th class="number">Completed</th>
              <th class="number">Failed</th>
            </tr>
          </thead>
          <tbody>
            {buckets
              .filter(({ completed, failed }) => completed + failed > 0)
              .map((bucket) => (
                <tr>
                  <td safe>{axisTime(bucket.from, span)}</td>
                  <td class="number">{bucket.completed}</td>
                  <td class="number">{bucket.failed}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </>
  );
}

interface BarProps {
  readonly bucket: Bucket;
  readonly span: Span;
  readonly x: number;
  readonly step: number;
  readonly top: number;
}

function Bar({ bucket, span, x, step, top }: BarProps) {
  const { completed, failed } = bucket;
  if (completed + failed === 0) return "";
  const tall = (value: number) => (value === 0 ? 0 : Math.max(1.5, (value / top) * height));
  const [done, lost] = [tall(completed), tall(failed)];
  const place = { x: (x + step * 0.12).toFixed(1), width: (step * 0.76).toFixed(1) };
  return (
    <g>
      <title safe>{`${axisTime(bucket.from, span)}: ${completed} completed, ${failed} failed`}</title>
      {done === 0 ? (
        ""
      ) : (
        <rect class="bar is-completed" {...place} y={(height - done).toFixed(1)} height={done.toFixed(1)} />
      )}
      {lost === 0 ? (
        ""
      ) : (
        <rect
          class="bar is-failed"
          {...place}
          y={(height - done - lost).toFixed(1)}
          height={lost.toFixed(1)}
        />
      )}
    </g>
  );
}

function SpanTabs({ ui, span }: { ui: Ui; span: Span }) {
  return (
    <nav class="spans" aria-label="Span of the chart">
      {(Object.keys(spans) as Span[]).map((one) => (
        <a
          href={link(ui, "/", { span: one === "hour" ? undefined : one })}
          aria-current={one === span ? "true" : undefined}
        >
          {one}
        </a>
      ))}
    </nav>
  );
}

const sum = (buckets: readonly Bucket[], key: "completed" | "failed") =>
  buckets.reduce((total, bucket) => total + bucket[key], 0);

/** The next number that reads well on an axis, and so does half of it: runs are whole. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, power === 1 ? 6 : 5, 10].find((one) => one * power >= value)!;
  return Math.max(2, step * power);
}

function axisTime(moment: number, span: Span): string {
  const date = new Date(moment);
  if (span === "month")
    return `${date.getUTCDate()} ${date.toLocaleString("en", { month: "short", timeZone: "UTC" })}`;
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

function rateText(runs: number, span: Span): string {
  const { bucketMs, buckets } = spans[span];
  const perHour = runs / ((bucketMs * buckets) / 3_600_000);
  if (runs === 0) return "";
  if (perHour >= 60) return `${short(Math.round(perHour / 60))} a minute on average`;
  return perHour >= 1
    ? `${short(Math.round(perHour))} an hour on average`
    : `${short(Math.max(1, Math.round(perHour * 24)))} a day on average`;
}
