// Reads logs wherever they lie: in a file, or, what a job printed, in a store that keeps output.

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import type { Gap } from "../domain/attempt.ts";
import { isSystemError } from "../domain/errors.ts";
import type { Stream } from "../domain/rules.ts";
import { type GapNote, readGap } from "../gap.ts";
import { errorLogPath, jobLogPath } from "../home.ts";
import type { Output, OutputOf, Store } from "./store.ts";

/** A log, open to be read in parts; it may be growing. */
export interface Log extends Disposable {
  /** Tells it from every other. */
  readonly name: string;
  /** Where it ends. */
  size(): Promise<number>;
  /** What was left out of it; that may become more as long as it grows. */
  gap(): Promise<Gap | undefined>;
  /**
   * So many bytes from a place on; fewer only at the end and before what was left out. They begin at the place, or behind what was
   * left out when it lies in that.
   */
  read(position: number, length: number): Promise<LogPiece>;
}

export interface LogPiece {
  readonly start: number;
  readonly bytes: Buffer;
}

/** What a queue's logs are found by. */
export interface LogPlace {
  readonly store: Pick<Store, "output">;
  readonly home: string;
}

/** What an attempt printed on a stream; undefined when there is no such log. */
export function openJobLog(
  { store, home }: LogPlace,
  seq: number,
  attempt: number,
  stream: Stream = "stdout",
): Log | undefined {
  if (store.output) return storedLog(store.output, { job_seq: seq, attempt, stream });
  return openFileLog(logPath({ home }, seq, attempt, stream));
}

/** The file of such a log, where logs are files. */
export function logPath(
  { home }: Pick<LogPlace, "home">,
  seq: number,
  attempt: number,
  stream: Stream,
): string {
  const path = jobLogPath(home, seq, attempt);
  return stream === "stdout" ? path : errorLogPath(path);
}

const storedLog = (output: Output, of: OutputOf): Log => ({
  name: `${output.queue} ${of.job_seq} ${of.attempt} ${of.stream}`,
  size: () => output.size(of),
  gap: async () => (await output.gap(of)) ?? undefined,
  async read(position, length) {
    const { start, bytes } = await output.read(of, position, length);
    return { start, bytes: bufferOf(bytes) };
  },
  [Symbol.dispose]() {},
});

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Undefined when there is no such file. A link that stands in its place is not followed. */
export function openFileLog(path: string): Log | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isSystemError(error) && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.code)) return undefined;
    throw error;
  }
  return {
    name: path,
    size: async () => readSteadily(path, (gap) => endOf(fstatSync(file).size, gap)),
    async gap() {
      const note = readGap(path);
      return note && { from: note.from, to: note.to };
    },
    read: async (position, length) => readSteadily(path, (gap) => pieceOf(file, gap, position, length)),
    [Symbol.dispose]: () => closeSync(file),
  };
}

/** What is left out is noted before it is gone from the file, so what was read under one and the same note is right. */
function readSteadily<T>(path: string, read: (gap: GapNote | undefined) => T): T {
  for (let gap = readGap(path); ; ) {
    const found = read(gap);
    const now = readGap(path);
    if (now?.to === gap?.to && now?.from === gap?.from && now?.at === gap?.at && now?.end === gap?.end)
      return found;
    gap = now;
  }
}

/** Where the log ends that lies in a file; 0 where there is no file. */
export const endOfFileLog = (path: string): number =>
  readSteadily(path, (gap) => endOf(statSync(path, { throwIfNoEntry: false })?.size ?? 0, gap));

const endOf = (size: number, gap: GapNote | undefined): number =>
  gap ? (gap.end ?? Math.max(gap.to, size - gap.at + gap.to)) : size;

function pieceOf(file: number, gap: GapNote | undefined, position: number, length: number): LogPiece {
  if (gap === undefined) return { start: position, bytes: readAt(file, position, length) };
  if (position < gap.from)
    return { start: position, bytes: readAt(file, position, Math.min(length, gap.from - position)) };
  const start = Math.max(position, gap.to);
  const wanted = Math.min(length, (gap.end ?? Number.POSITIVE_INFINITY) - start);
  return { start, bytes: readAt(file, start - gap.to + gap.at, wanted) };
}

/** What is read at once. */
const pieceBytes = 256 * 1024;

/** All that a log has from a place on, piece by piece. A piece that begins behind the end of the last one is what follows a gap. */
export async function* piecesFrom(log: Log, from: number): AsyncGenerator<LogPiece> {
  for (let at = from; ; ) {
    const piece = await log.read(at, pieceBytes);
    const end = piece.start + piece.bytes.length;
    if (end === at) return;
    at = end;
    yield piece;
  }
}

/** So many bytes of an open file from a place on; fewer only at its end. */
export function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.max(0, length));
  let read = 0;
  while (read < buffer.length) {
    const some = readSync(file, buffer, read, buffer.length - read, position + read);
    if (some === 0) break;
    read += some;
  }
  return buffer.subarray(0, read);
}
