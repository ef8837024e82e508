// Reads windows of a log that may be large and may be growing: whole lines, and which numbers they have.

import { type Line, terminalReader } from "../domain/terminal-text.ts";
import type { Log } from "../store/logs.ts";

export interface LogWindow {
  readonly lines: readonly Line[];
  readonly first: number;
  readonly from: number;
  readonly to: number;
  readonly size: number;
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
const linesBefore = 10;

const newline = 10;

export async function readWindow(log: Log | undefined, wish: WindowWish): Promise<LogWindow> {
  if (!log) return { lines: [], first: 1, from: 0, to: 0, size: 0 };
  const size = await log.size();
  const first = wish.line === undefined ? wish.from : await placeOfLine(log, wish.line - linesBefore);
  const { from, bytes } = await cutWindow(log, size, { ...wish, from: first });
  const text = new TextDecoder().decode(bytes);
  const reader = terminalReader();
  const lines = reader.read(text);
  if (bytes.at(-1) !== newline && bytes.length > 0) lines.push(reader.rest());
  return { lines, first: await lineNumberAt(log, from), from, to: from + bytes.length, size };
}

/** The bytes of whole lines that fit: from the front when a beginning was asked for, else from the back. */
async function cutWindow(
  log: Log,
  size: number,
  { from, to, rest }: WindowWish,
): Promise<{ from: number; bytes: Buffer }> {
  if (from !== undefined) {
    const start = Math.min(from, size);
    const bytes = await log.read(start, Math.min(mostBytes, size - start));
    const end = endOfLines(bytes, rest || start + bytes.length === size);
    return { from: start, bytes: bytes.subarray(0, firstLines(bytes.subarray(0, end), mostLines)) };
  }
  const end = Math.min(to ?? size, size);
  const start = Math.max(0, end - mostBytes);
  const bytes = await log.read(start, end - start);
  const whole = bytes.subarray(0, endOfLines(bytes, rest || end < size));
  const skipped = start === 0 ? 0 : whole.indexOf(newline) + 1;
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

/** Line numbers at every so many bytes of a log, kept for the next page of it: a log only grows. */
const markBytes = 1024 ** 2;
const marks = new Map<string, number[]>();
const mostMarked = 50;

/** The number of the line that begins at a place. */
export async function lineNumberAt(log: Log, place: number): Promise<number> {
  const wanted = Math.floor(place / markBytes);
  const known = await marksOf(log, (marked) => marked.length > wanted);
  return 1 + known[wanted]! + countLines(await log.read(wanted * markBytes, place - wanted * markBytes));
}

/** The place where a line begins; the end of a log that has fewer. */
async function placeOfLine(log: Log, line: number): Promise<number> {
  const before = Math.max(0, line - 1);
  const size = await log.size();
  const isFar = (marked: readonly number[]) => marked.at(-1)! >= before || marked.length * markBytes > size;
  const known = await marksOf(log, isFar);
  const mark = Math.max(
    0,
    known.findLastIndex((lines) => lines <= before),
  );
  const bytes = await log.read(mark * markBytes, markBytes);
  const place = firstLines(bytes, before - known[mark]!);
  return mark * markBytes + place;
}

/** Marks of a log until they are enough. Lets others run between the megabytes it counts. */
async function marksOf(log: Log, enough: (marked: readonly number[]) => boolean): Promise<readonly number[]> {
  const known = marks.get(log.name) ?? [0];
  marks.delete(log.name);
  marks.set(log.name, known);
  if (marks.size > mostMarked) marks.delete(marks.keys().next().value!);
  while (!enough(known)) {
    const at = known.length - 1;
    const lines = countLines(await log.read(at * markBytes, markBytes));
    // Another reader may have counted the same megabyte meanwhile.
    if (known.length - 1 === at) known.push(known[at]! + lines);
    if (at % 8 === 7) await Bun.sleep(0);
  }
  return known;
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}
