// How runs are counted by time and by duration, and charts and percentiles read from that.

import { type Bucket, type Span, spans, type Throughput } from "../domain/overview.ts";

const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** How long buckets of each width are kept: as long as a chart looks back. */
export const keptBuckets: readonly (readonly [widthMs: number, keepMs: number])[] = [
  [minuteMs, 2 * hourMs],
  [hourMs, 32 * 24 * hourMs],
];

/** How long the hours of the durations are kept. */
export const keptDurationsMs = 25 * hourMs;

/** Four bins for each doubling of a duration: a percentile is then too large by a fifth at most. */
const binsPerDoubling = 4;

export const binOf = (seconds: number) =>
  Math.max(0, Math.ceil(Math.log2(Math.max(1, seconds * 1000)) * binsPerDoubling));

/** The longest duration in a bin, in seconds. */
const longestIn = (bin: number) => 2 ** (bin / binsPerDoubling) / 1000;

/** Which buckets a chart that ends now is made of, and which moment the first begins at. */
export function chartRange(span: Span, now: number) {
  const { bucketMs, buckets } = spans[span];
  return {
    width: bucketMs < hourMs ? minuteMs : hourMs,
    bucketMs,
    first: now - (now % bucketMs) - (buckets - 1) * bucketMs,
  };
}

/** A chart without gaps from the buckets there are, keyed by their start. */
export function chartOf(
  span: Span,
  now: number,
  found: ReadonlyMap<number, Omit<Bucket, "from">>,
): Throughput {
  const { first, bucketMs } = chartRange(span, now);
  return {
    span,
    buckets: Array.from({ length: spans[span].buckets }, (_, index) => {
      const from = first + index * bucketMs;
      const { completed = 0, failed = 0 } = found.get(from) ?? {};
      return { from, completed, failed };
    }),
  };
}

/** The seconds that this part of the runs did not take longer than, from bins in order; null when there are none. */
export function durationUnderIn(
  bins: readonly { readonly bin: number; readonly runs: number }[],
  part: number,
): number | null {
  const wanted = part * bins.reduce((sum, { runs }) => sum + runs, 0);
  let seen = 0;
  for (const { bin, runs } of bins) {
    seen += runs;
    if (seen >= wanted) return Number(longestIn(bin).toPrecision(3));
  }
  return null;
}
