// How many runs completed and failed, by minute and by hour, and how long they took: written with the settlements themselves, and
// kept as long as a chart looks back.

import type { Ending } from "../../domain/attempt.ts";
import { type Span, spans, type Throughput } from "../../domain/overview.ts";
import type { Connection } from "./connection.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** How long buckets of each width are kept. */
const kept: readonly (readonly [widthMs: number, keepMs: number])[] = [
  [minuteMs, 2 * hourMs],
  [hourMs, 32 * 24 * hourMs],
];

/** Four bins for each doubling of a duration: a percentile is then too large by a fifth at most. */
const binsPerDoubling = 4;

const binOf = (seconds: number) =>
  Math.max(0, Math.ceil(Math.log2(Math.max(1, seconds * 1000)) * binsPerDoubling));

/** The longest duration in a bin, in seconds. */
const longestIn = (bin: number) => 2 ** (bin / binsPerDoubling) / 1000;

export interface EndedRun {
  readonly completed: boolean;
  readonly duration: Ending["duration"];
}

/** Adds the runs that ended at one moment; inside the transaction that settles them. */
export function recordRuns({ sql }: Connection, now: number, runs: readonly EndedRun[]): void {
  if (runs.length === 0) return;
  const completed = runs.filter((run) => run.completed).length;
  for (const [width, keepMs] of kept) {
    sql(`
      insert into run_buckets (width, start, completed, failed) values ($width, $start, $completed, $failed)
      on conflict (width, start) do update set completed = completed + excluded.completed, failed = failed + excluded.failed
    `).run({ width, start: now - (now % width), completed, failed: runs.length - completed });
    sql("delete from run_buckets where width = $width and start < $oldest").run({
      width,
      oldest: now - keepMs,
    });
  }
  const hour = now - (now % hourMs);
  const bins = new Map<number, number>();
  for (const { duration } of runs) bins.set(binOf(duration), (bins.get(binOf(duration)) ?? 0) + 1);
  for (const [bin, count] of bins) {
    sql(`
      insert into run_durations (hour, bin, runs) values ($hour, $bin, $count)
      on conflict (hour, bin) do update set runs = runs + excluded.runs
    `).run({ hour, bin, count });
  }
  sql("delete from run_durations where hour < $oldest").run({ oldest: hour - 25 * hourMs });
}

/** The buckets of a chart that ends now, without gaps. */
export function throughput({ sql }: Connection, span: Span, now: number): Throughput {
  const { bucketMs, buckets } = spans[span];
  const width = bucketMs < hourMs ? minuteMs : hourMs;
  const first = now - (now % bucketMs) - (buckets - 1) * bucketMs;
  const rows: { start: number; completed: number; failed: number }[] = sql(`
    select start - start % $bucketMs as start, sum(completed) as completed, sum(failed) as failed from run_buckets
    where width = $width and start >= $first and start <= $now group by 1
  `).all({ width, bucketMs, first, now });
  const found = new Map(rows.map((row) => [row.start, row]));
  return {
    span,
    buckets: Array.from({ length: buckets }, (_, index) => {
      const from = first + index * bucketMs;
      const { completed = 0, failed = 0 } = found.get(from) ?? {};
      return { from, completed, failed };
    }),
  };
}

/** The seconds that this part of the last day's runs did not take longer than; null when there were none. */
export function durationUnder({ sql }: Connection, part: number, now: number): number | null {
  const bins: { bin: number; runs: number }[] = sql(`
    select bin, sum(runs) as runs from run_durations where hour > $oldest group by bin order by bin
  `).all({ oldest: now - 24 * hourMs });
  const wanted = part * bins.reduce((sum, { runs }) => sum + runs, 0);
  let seen = 0;
  for (const { bin, runs } of bins) {
    seen += runs;
    if (seen >= wanted) return Number(longestIn(bin).toPrecision(3));
  }
  return null;
}
