// An attempt's log. The command writes to the file itself, stdout and stderr through one descriptor, so their order is kept
// and nothing of it passes through us; we only see to it that the file does not grow for ever.

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import type { Ending, Gap } from "../domain/attempt.ts";
import { isSystemError } from "../domain/errors.ts";
import { type GapNote, removeGap, writeGap } from "../gap.ts";
import { ensureFolderOf, fileMode } from "../home.ts";
import { punch } from "./punch.ts";

/** How often a running attempt's log is measured: it may overshoot its limit by what is written in between. */
const longestMs = 200;
const shortestMs = 10;

export interface OutputLog extends Disposable {
  readonly descriptor: number;
}

/**
 * Opens a log for a command to write to, empty: an attempt never starts twice, so what is there was left by another queue whose
 * backup this one is. Our own descriptor is of no use once the command has its own.
 */
export function openLog(path: string): OutputLog {
  const descriptor = openEmpty(path);
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}

/** What is kept of a log, in bytes: at most so many, of them so many of its end. */
export interface KeptOutput {
  readonly most: number;
  readonly tail: number;
}

export interface SizeWatch extends Disposable {
  /** What is kept in the end, after leaving out what is beyond the limit. */
  finish(): Promise<Pick<Ending, "log_bytes" | "log_left_out" | "log_truncated">>;
}

/**
 * Leaves out the middle of a growing file of which there is too much. The command writes on at its end, and nothing that it writes is
 * lost: what is left out becomes a hole in the file, and a note beside it says so before. Where the file system makes no holes, all
 * beyond the limit is cut off, and writing goes on at the cut, because the file is open for appending. Whoever takes the command over
 * goes on from the note, `noted`.
 */
export function watchSize(path: string, kept: () => KeptOutput, noted: GapNote | undefined): SizeWatch {
  let gap = noted;
  let isCut = false;
  let timer = setTimeout(look, longestMs, 0, longestMs);

  function look(before: number, waitedMs: number): void {
    const size = measure();
    const next = nextLookMs(size - before, waitedMs);
    timer = setTimeout(look, next, size, next);
  }

  /** Often enough that what is written in between is a part of what is kept. */
  const nextLookMs = (grown: number, waitedMs: number) =>
    Math.max(shortestMs, Math.min(longestMs, (waitedMs * kept().most) / (4 * Math.max(1, grown))));

  /** The file's size, after leaving out what is too much. */
  function measure(): number {
    try {
      const { size } = statSync(path);
      const { most, tail } = kept();
      const from = Math.min(most - tail, gap?.from ?? most);
      const to = Math.max(size - tail, gap?.to ?? 0);
      const isClosed = gap !== undefined && gap.at !== gap.to;
      if (isClosed || to - from <= (gap ? gap.to - gap.from : 0)) return size;
      return leaveOut(from, to, most) ?? size;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // The log was taken away while the command ran; the command goes on.
      return 0;
    }
  }

  /** The file's size, if it has changed. */
  function leaveOut(from: number, to: number, most: number): number | undefined {
    const note = { from, to, at: to };
    if ((gap !== undefined || canPunch(path, to)) && isNoted(path, note)) {
      gap = note;
      punch(path, from, to);
      return undefined;
    }
    isCut = true;
    const size = gap?.to ?? most;
    truncateSync(path, size);
    return size;
  }

  return {
    async finish() {
      clearTimeout(timer);
      const size = measure();
      if (!gap) return { log_bytes: size, log_truncated: isCut, log_left_out: isCut ? null : 0 };
      const { from, to } = gap;
      const log_bytes = await closeUp(path, gap).catch((error) => {
        // The hole stays, or the log was taken away.
        if (!isSystemError(error)) throw error;
        return Math.max(0, size - to + from);
      });
      return { log_bytes, log_truncated: true, log_left_out: isCut ? null : to - from };
    },
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** False when there is no room even for a note. */
function isNoted(path: string, note: GapNote): boolean {
  try {
    writeGap(path, note);
    return true;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** Tried far behind the end, where there is nothing to lose. */
const canPunch = (path: string, end: number) => punch(path, end + farBytes, end + farBytes + 1);
const farBytes = 1024 ** 4;

/** What is copied at once. */
const pieceBytes = 1024 ** 2;

/**
 * Moves what is behind a hole to its beginning, where that is large enough, so that the file is as large as what is kept, whoever copies
 * it. A worker may be killed at any moment of it: the note says what holds. Returns the bytes that are kept.
 */
async function closeUp(path: string, { from, to, at, end }: GapNote): Promise<number> {
  const file = openSync(path, "r+");
  try {
    const tail = () => Math.max(0, fstatSync(file).size - at);
    if (at === to && to - from < tail()) return from + tail();
    const moved = at === to ? await moveBack(file, { from, to }) : (end ?? to + tail()) - to;
    writeGap(path, { from, to, at: from, end: to + moved });
    ftruncateSync(file, from + moved);
    writeGap(path, { from, to, at: from });
    return from + moved;
  } finally {
    closeSync(file);
  }
}

/** Copies what is behind the one place to the other, at most until they meet; returns how much. */
async function moveBack(file: number, { from, to }: Gap): Promise<number> {
  const buffer = Buffer.allocUnsafe(pieceBytes);
  let moved = 0;
  for (let read = -1; read !== 0; moved += read) {
    read = readSync(file, buffer, 0, Math.min(pieceBytes, to - from - moved), to + moved);
    for (let written = 0; written < read; )
      written += writeSync(file, buffer, written, read - written, from + moved + written);
    await Bun.sleep(0);
  }
  return moved;
}

const forAppending = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;

/** Beside a file that is new there is no note, and none has to be looked for: logs are removed after theirs. */
function openEmpty(path: string): number {
  try {
    return openSync(path, forAppending | constants.O_EXCL, fileMode);
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case "ENOENT":
        ensureFolderOf(path);
        break;
      case "EEXIST":
        removeGap(path);
        break;
      default:
        throw error;
    }
    return openSync(path, forAppending | constants.O_TRUNC, fileMode);
  }
}
