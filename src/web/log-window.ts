// Reads windows of a log that may be large and may be growing: whole lines, and which numbers they have.

import type { Gap } from "../domain/attempt.ts";
import { type Line, terminalReader } from "../domain/terminal-text.ts";
import type { Log } from "../store/logs.ts";

export interface LogWindow {
  readonly lines: readonly Line[];
  readonly first: number;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  /** What was left out of the log; a window lies before or behind it. */
  readonly gap: Gap | undefined;
}

export interface WindowWish {
  /** The first byte; the last lines before `to` by default. */
  readonly from?: number | undefined;
  /** A line to be shown with a few before it; comes before `from`. */
  readonly line?: number | undefined;
  /** Behind the last byte; the end by default. */
  readonly to?: number | undefined;
  /** Whether a last line without its end belongs to it. */
  readonly rest: boolean;
}

/** What a page shows at once. */
const mostLines = 1000;
const mostBytes = 256 * 1024;

/** What is shown before a line that is asked for. */
const linesAbove = 10;

const newline = 10;

export async function readWindow(log: Log | undefined, wish: WindowWish): Promise<LogWindow> {
  if (!log) return { lines: [], first: 1, from: 0, to: 0, size: 0, gap: undefined };
  const whole = await extentOf(log);
  const first = wish.line === undefined ? wish.from : await placeOfLine(log, whole, wish.line - linesAbove);
  const { from, bytes } = await cutWindow(log, whole, { ...wish, from: first });
  const text = new TextDecoder().decode(bytes);
  const reader = terminalReader();
  const lines = reader.read(text);
  if (bytes.at(-1) !== newline && bytes.length > 0) lines.push(reader.rest());
  return { lines, first: await lineNumberAt(log, whole, from), from, to: from + bytes.length, ...whole };
}

/** How far a log goes, and what was left out of it. */
export interface Extent {
  readonly size: number;
  readonly gap: Gap | undefined;
}

export const extentOf = async (log: Log): Promise<Extent> => ({
  gap: await log.gap(),
  size: await log.size(),
});

/** The bytes of whole lines that fit: from the front when a beginning was asked for, else from the back. */
async function cutWindow(
  log: Log,
  { size, gap }: Extent,
  { from, to, rest }: WindowWish,
): Promise<{ from: number; bytes: Buffer }> {
  if (from !== undefined) {
    const isBehind = gap === undefined || from >= gap.from;
    const end = isBehind ? size : gap.from;
    const { start, bytes } = await log.read(Math.min(from, end), mostBytes);
    const whole = endOfLines(bytes, rest || !isBehind || start + bytes.length >= size);
    return { from: start, bytes: bytes.subarray(0, firstLines(bytes.subarray(0, whole), mostLines)) };
  }
  const last = Math.min(to ?? size, size);
  const isBehind = gap === undefined || last > gap.to;
  const [least, end] = isBehind ? [gap?.to ?? 0, last] : [0, Math.min(last, gap.from)];
  const { start, bytes } = await log.read(
    Math.max(least, end - mostBytes),
    end - Math.max(least, end - mostBytes),
  );
  const whole = bytes.subarray(0, endOfLines(bytes, rest || end < size));
  const skipped = start === least ? 0 : whole.indexOf(newline) + 1;
  const cut = lastLines(whole.subarray(skipped), mostLines) + skipped;
  return { from: start + cut, bytes: whole.subarray(cut) };
}

function endOfLines(bytes: Buffer, rest: boolean): number {
  const last = bytes.lastIndexOf(newline) + 1;
  // One line longer than the window is shown in pieces.
  return rest || last === 0 ? bytes.length : last;
}

function firstLines(bytes: Buffer, count: number): number {
  let at = 0;
  for (let line = 0; line < count; line++) {
    const end = bytes.indexOf(newline, at);
    if (end < 0) return bytes.length;
    at = end + 1;
  }
  return at;
}

function lastLines(bytes: Buffer, count: number): number {
  let at = bytes.at(-1) === newline ? bytes.length - 1 : bytes.length;
  for (let line = 0; line < count; line++) {
    if (at === 0) return 0;
    const end = bytes.lastIndexOf(newline, at - 1);
    if (end < 0) return 0;
    at = end;
  }
  return at + 1;
}

/** Line numbers at every so many bytes of a log, or of what is behind a gap, kept for the next page of it: a log only grows. */
const markBytes = 1024 ** 2;
const marks = new Map<string, number[]>();
const mostMarked = 50;

/** A part of a log in which nothing is missing. */
interface Part {
  readonly log: Log;
  readonly start: number;
  readonly end: number;
}

const partsOf = (log: Log, { size, gap }: Extent): readonly [Part] | readonly [Part, Part] =>
  gap
    ? [
        { log, start: 0, end: gap.from },
        { log, start: gap.to, end: size },
      ]
    : [{ log, start: 0, end: size }];

/** The number of the line that begins at a place. What is left out counts as the end of a line, and for no line itself. */
export async function lineNumberAt(log: Log, extent: Extent, place: number): Promise<number> {
  const [head, tail] = partsOf(log, extent);
  if (!tail || place < tail.start) return 1 + (await linesBefore(head, Math.min(place, head.end)));
  return 1 + (await linesIn(head)) + (await linesBefore(tail, place));
}

/** The lines that begin in a part. */
async function linesIn(part: Part): Promise<number> {
  const { log, start, end } = part;
  if (end === start) return 0;
  const { bytes } = await log.read(end - 1, 1);
  return (await linesBefore(part, end)) + (bytes[0] === newline ? 0 : 1);
}

/** The lines that end in a part before a place. */
async function linesBefore(part: Part, place: number): Promise<number> {
  const wanted = Math.floor((place - part.start) / markBytes);
  const known = await marksOf(part, (marked) => marked.length > wanted);
  const from = part.start + wanted * markBytes;
  return known[wanted]! + countLines(await bytesIn(part, from, place));
}

/** The place where a line begins; the end of a log that has fewer. */
async function placeOfLine(log: Log, extent: Extent, line: number): Promise<number> {
  const [head, tail] = partsOf(log, extent);
  const before = Math.max(0, line - 1);
  if (!tail) return placeIn(head, before);
  const inHead = await linesIn(head);
  return before < inHead ? placeIn(head, before) : placeIn(tail, before - inHead);
}

/** The place in a part behind so many lines. */
async function placeIn(part: Part, before: number): Promise<number> {
  const size = part.end - part.start;
  const isFar = (marked: readonly number[]) => marked.at(-1)! >= before || marked.length * markBytes > size;
  const known = await marksOf(part, isFar);
  const mark = Math.max(
    0,
    known.findLastIndex((lines) => lines <= before),
  );
  const from = part.start + mark * markBytes;
  return from + firstLines(await bytesIn(part, from, from + markBytes), before - known[mark]!);
}

/** Marks of a part until they are enough. Lets others run between the megabytes it counts. */
async function marksOf(
  part: Part,
  enough: (marked: readonly number[]) => boolean,
): Promise<readonly number[]> {
  const name = `${part.start} ${part.log.name}`;
  const known = marks.get(name) ?? [0];
  marks.delete(name);
  marks.set(name, known);
  if (marks.size > mostMarked) marks.delete(marks.keys().next().value!);
  while (!enough(known)) {
    const at = known.length - 1;
    const from = part.start + at * markBytes;
    const lines = countLines(await bytesIn(part, from, from + markBytes));
    // Another reader may have counted the same megabyte meanwhile.
    if (known.length - 1 === at) known.push(known[at]! + lines);
    if (at % 8 === 7) await Bun.sleep(0);
  }
  return known;
}

/** Nothing of what has been left out in this moment. */
async function bytesIn({ log, end }: Part, from: number, to: number): Promise<Buffer> {
  const piece = await log.read(from, Math.min(to, end) - from);
  return piece.start === from ? piece.bytes : Buffer.alloc(0);
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}
