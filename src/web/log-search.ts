// Looks for a text in a log of any size: a bounded part of it at a time, from the front, the next part where the last one ended.

import { type Line, terminalReader } from "../domain/terminal-text.ts";
import type { Log } from "../store/logs.ts";
import { extentOf, lineNumberAt } from "./log-window.ts";

export interface Hit {
  readonly number: number;
  readonly text: string;
}

export interface Found {
  readonly hits: readonly Hit[];
  /** Bytes that were looked through up to here, and how many there are. */
  readonly to: number;
  readonly size: number;
}

/** What one page shows, and what it looks through at most. */
const mostHits = 100;
const mostBytes = 32 * 1024 ** 2;

const pieceBytes = 1024 ** 2;
const newline = 10;

/** Lines that contain a text, letters of either case, in what begins at a place and is the beginning of a line. */
export async function findInLog(log: Log | undefined, text: string, from: number): Promise<Found> {
  if (!log) return { hits: [], to: 0, size: 0 };
  const extent = await extentOf(log);
  const { size } = extent;
  const hits: Hit[] = [];
  let at = Math.min(from, size);
  let number = await lineNumberAt(log, extent, at);
  for (let looked = 0; at < size && looked < mostBytes && hits.length < mostHits; ) {
    const { start, bytes } = await log.read(at, pieceBytes);
    if (start > at) number = await lineNumberAt(log, await extentOf(log), start);
    at = start;
    const lines = wholeLines(bytes);
    // It was taken away meanwhile, or nothing follows the gap.
    if (lines.length === 0) break;
    const piece = findInPiece(lines, text, mostHits - hits.length);
    for (const { line, shown } of piece.hits) hits.push({ number: number + line, text: shown });
    number += piece.lines;
    at += piece.bytes;
    looked += piece.bytes;
    await Bun.sleep(0);
  }
  return { hits, to: Math.min(at, size), size };
}

/** A line longer than a piece is looked through in pieces. */
function wholeLines(bytes: Buffer): Buffer {
  const end = bytes.lastIndexOf(newline) + 1;
  return end === 0 ? bytes : bytes.subarray(0, end);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what steers a terminal is not what is looked for
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?)/g;

interface PieceHits {
  readonly hits: readonly { readonly line: number; readonly shown: string }[];
  /** What was looked through: all of it, or up to the last line that fitted. */
  readonly lines: number;
  readonly bytes: number;
}

function findInPiece(bytes: Buffer, wanted: string, most: number): PieceHits {
  const text = new TextDecoder().decode(bytes).replace(sequences, "");
  const lower = text.toLowerCase();
  const needle = wanted.toLowerCase();
  const hits: { line: number; shown: string }[] = [];
  const walk = lineWalk(bytes);
  let counted = 0;
  for (let at = lower.indexOf(needle); at >= 0; ) {
    walk.skip(newlines(lower, counted, at));
    const end = lower.indexOf("\n", at);
    hits.push({ line: walk.line(), shown: shownText(walk.bytes()) });
    counted = end < 0 ? lower.length : end;
    if (end < 0) break;
    if (hits.length === most) {
      walk.skip(1);
      return { hits, lines: walk.line(), bytes: walk.place() };
    }
    at = lower.indexOf(needle, end);
  }
  walk.skip(newlines(lower, counted, lower.length));
  return { hits, lines: walk.line(), bytes: bytes.length };
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** Goes through bytes line by line. */
function lineWalk(bytes: Buffer) {
  let place = 0;
  let line = 0;
  return {
    skip(lines: number) {
      for (let left = lines; left > 0; left--) place = bytes.indexOf(newline, place) + 1;
      line += lines;
    },
    line: () => line,
    place: () => place,
    bytes() {
      const end = bytes.indexOf(newline, place);
      return bytes.subarray(place, end < 0 ? bytes.length : end);
    },
  };
}

/** A line is shown up to here. */
const longestShown = 2000;

function shownText(bytes: Buffer): string {
  const reader = terminalReader();
  const text = new TextDecoder().decode(bytes.subarray(0, longestShown * 4));
  const line: Line = reader.read(`${text}\n`)[0] ?? [];
  return line
    .map((run) => run.text)
    .join("")
    .slice(0, longestShown);
}
