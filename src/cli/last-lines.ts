// Where the last lines of a log begin: looked for from its end, so that a long log costs no more than what is shown of it.

import type { Job } from "../domain/job.ts";
import { type Stream, streamsOf } from "../domain/rules.ts";
import { type Log, type LogPlace, openJobLog } from "../store/logs.ts";
import { wholeNumber } from "./values.ts";
import type { Flag } from "./words.ts";

export const followFlag = (about: string): Flag => ["-f, --follow", about];

export const linesFlag = (about: string): Flag => ["-n, --lines <n>", about];

export const lineCount = (text: string) => wholeNumber("lines", text, 0, 1e9);

export interface LastLines {
  /** The first byte of them. */
  readonly from: number;
  /** How many fewer there are than were wanted. */
  readonly missing: number;
}

/** What is read at once. */
const pieceBytes = 64 * 1024;

const lineEnd = 0x0a;

/** A last line without an end is one too, and so is one that begins before what was left out and ends behind it. */
export async function lastLines(log: Log, wanted: number): Promise<LastLines> {
  const size = await log.size();
  if (wanted === 0 || size === 0) return { from: size, missing: wanted };
  let missing = wanted;
  for (let end = size; end > 0; ) {
    const gap = await log.gap();
    if (gap && end > gap.from && end <= gap.to) {
      end = gap.from;
      continue;
    }
    const from = Math.max(0, end - pieceBytes, gap && end > gap.to ? gap.to : 0);
    // What is left out may have become more meanwhile, and then the piece begins later than was asked for.
    const { start, bytes } = await log.read(from, end - from);
    for (let at = Math.min(bytes.length, end - start) - 1; at >= 0; at--) {
      const next = start + at + 1;
      if (bytes[at] !== lineEnd || next === size) continue;
      if (--missing === 0) return { from: next, missing };
    }
    end = from;
  }
  return { from: 0, missing: missing - 1 };
}

/** Where the last lines begin that an attempt printed, on each stream; all of it when no number is wanted. */
export async function beginnings(
  place: LogPlace,
  { seq, rules }: Job,
  attempt: number,
  wanted: number | undefined,
): Promise<Record<Stream, number>> {
  const found: Record<Stream, number> = { stdout: 0, stderr: 0 };
  if (wanted === undefined) return found;
  for (const stream of streamsOf(rules)) {
    using log = openJobLog(place, seq, attempt, stream);
    if (log) found[stream] = (await lastLines(log, wanted)).from;
  }
  return found;
}
