// How many runs completed and failed, by minute and by hour, and how long they took: written with the settlements themselves, and
// kept as long as a chart looks back.

import type { Ending } from "../../domain/attempt.ts";
import type { Span, Throughput } from "../../domain/overview.ts";
import {
  binOf,
  chartOf,
  chartRange,
  durationUnderIn,
  hourMs,
  keptBuckets,
  keptDurationsMs,
} from "../run-bins.ts";
import type { Connection } from "./connection.ts";

export interface EndedRun {
  readonly completed: boolean;
  readonly duration: Ending["duration"];
}

/** Adds the runs that ended at one moment; inside the transaction that settles them. Where something new begins, what is too old ends. */
export function recordRuns({ sql }: Connection, now: number, runs: readonly EndedRun[]): void {
  if (runs.length === 0) return;
  const completed = runs.filter((run) => run.completed).length;
  const failed = runs.length - completed;
  for (const [width, keepMs] of keptBuckets) {
    const start = now - (now % width);
    const known = sql(`
      update run_buckets set completed = completed + $completed, failed = failed + $failed where width = $width and start = $start
    `).run({ width, start, completed, failed });
    if (known.changes > 0) continue;
    sql(
      "insert into run_buckets (width, start, completed, failed) values ($width, $start, $completed, $failed)",
    ).run({
      width,
      start,
      completed,
      failed,
    });
    sql("delete from run_buckets where width = $width and start < $oldest").run({
      width,
      oldest: now - keepMs,
    });
  }
  const hour = now - (now % hourMs);
  const bins = new Map<number, number>();
  for (const { duration } of runs) bins.set(binOf(duration), (bins.get(binOf(duration)) ?? 0) + 1);
  for (const [bin, count] of bins) {
    const known = sql("update run_durations set runs = runs + $count where hour = $hour and bin = $bin").run({
      hour,
      bin,
      count,
    });
    if (known.changes > 0) continue;
    sql("insert into run_durations (hour, bin, runs) values ($hour, $bin, $count)").run({ hour, bin, count });
    sql("delete from run_durations where hour < $oldest").run({ oldest: hour - keptDurationsMs });
  }
}

/** The buckets of a chart that ends now, without gaps. */
export function throughput({ sql }: Connection, span: Span, now: number): Throughput {
  const rows: { start: number; completed: number; failed: number }[] = sql(`
    select start - start % $bucketMs as start, sum(completed) as completed, sum(failed) as failed from run_buckets
    where width = $width and start >= $first and start <= $now group by 1
  `).all({ ...chartRange(span, now), now });
  return chartOf(span, now, new Map(rows.map((row) => [row.start, row])));
}

/** The seconds that this part of the last day's runs did not take longer than; null when there were none. */
export const durationUnder = ({ sql }: Connection, part: number, now: number): number | null =>
  durationUnderIn(
    sql(
      "select bin, sum(runs) as runs from run_durations where hour > $oldest group by bin order by bin",
    ).all({
      oldest: now - 24 * hourMs,
    }),
    part,
  );
