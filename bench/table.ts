// What benches report, and the table that people read.

import { median, ratioOf, type Samples } from "./rounds.ts";

export interface Figure {
  readonly bench: string;
  readonly work: string;
  readonly unit: string;
  readonly ours: number;
  readonly against: string | null;
  readonly theirs: number | null;
  readonly ratio: number | null;
  /** What is to be reached, in words; null for a figure that only explains another. */
  readonly reach: string | null;
  readonly reached: boolean | null;
}

/** A bound on the ratio, or on our own figure. */
export interface Bound {
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly own?: true;
}

export interface Compared {
  readonly bench: string;
  readonly work: string;
  readonly unit: string;
  readonly ours: Samples;
  readonly theirs?: Samples;
  readonly bound?: Bound;
}

export function figure({ bench, work, unit, ours, theirs, bound }: Compared): Figure {
  const own = median(ours.values);
  const ratio = theirs === undefined ? null : ratioOf(ours, theirs);
  const bounded = bound?.own ? own : ratio;
  return {
    bench,
    work,
    unit,
    ours: own,
    against: theirs?.name ?? null,
    theirs: theirs === undefined ? null : median(theirs.values),
    ratio,
    reach: bound === undefined ? null : reachText(bound, unit),
    reached: bound === undefined || bounded === null ? null : isWithin(bound, bounded),
  };
}

/** A single number of ours. */
export const ownFigure = (bench: string, work: string, unit: string, value: number, bound?: Bound): Figure =>
  figure({
    bench,
    work,
    unit,
    ours: { name: work, values: [value] },
    ...(bound && { bound: { ...bound, own: true } }),
  });

const isWithin = (
  { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Bound,
  value: number,
) => value >= atLeast && value <= atMost;

function reachText({ atLeast, atMost, own }: Bound, unit: string): string {
  const word = atLeast === undefined ? `at most ${number(atMost!)}` : `at least ${number(atLeast)}`;
  return own ? `${word} ${unit}` : `${word} ×`;
}

const number = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString("en") : Number(value.toPrecision(3)).toString();

/** One row for each figure. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ bench, work, unit, ours, against, theirs, ratio, reach, reached }) => [
    bench,
    work,
    `${number(ours)} ${unit}`,
    against === null ? "" : `${against}: ${number(theirs!)} ${unit}`,
    ratio === null ? "" : ratio.toFixed(2),
    reach === null ? "" : `${reached ? "yes" : "NO"}, ${reach}`,
  ]);
  const all = [["bench", "work", "queuectl", "compared with", "ratio", "reached"], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => Bun.stringWidth(row[column]!))));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell + " ".repeat(widths[column]! - Bun.stringWidth(cell))).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(all[0]!), rule, ...all.slice(1).map(line)].join("\n");
}
