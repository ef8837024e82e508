// Reads logs wherever they lie: in a file, or, what a job printed, in a store that keeps output.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { isSystemError } from "../domain/errors.ts";
import type { Stream } from "../domain/rules.ts";
import { errorLogPath, jobLogPath } from "../home.ts";
import type { Output, Store } from "./store.ts";

/** A log, open to be read in parts; it may be growing. */
export interface Log extends Disposable {
  /** Tells it from every other. */
  readonly name: string;
  /** Bytes so far. */
  size(): Promise<number>;
  /** So many bytes from a place on; fewer only at the end. */
  read(position: number, length: number): Promise<Buffer>;
}

/** What a queue's logs are found by. */
export interface LogPlace {
  readonly store: Pick<Store, "output">;
  readonly home: string;
}

/** What an attempt printed; undefined when there is no such log. A store that keeps output keeps it in one piece, as `stdout`. */
export function openJobLog(
  { store, home }: LogPlace,
  seq: number,
  attempt: number,
  stream: Stream = "stdout",
): Log | undefined {
  if (store.output) return stream === "stdout" ? storedLog(store.output, seq, attempt) : undefined;
  const path = jobLogPath(home, seq, attempt);
  return openFileLog(stream === "stdout" ? path : errorLogPath(path));
}

const storedLog = (output: Output, seq: number, attempt: number): Log => ({
  name: `${output.queue} ${seq} ${attempt}`,
  size: () => output.size(seq, attempt),
  read: async (position, length) => bufferOf(await output.read(seq, attempt, position, length)),
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
    size: async () => fstatSync(file).size,
    read: async (position, length) => readAt(file, position, length),
    [Symbol.dispose]: () => closeSync(file),
  };
}

/** What is read at once. */
const pieceBytes = 256 * 1024;

/** All that a log has from a place on, piece by piece. */
export async function* piecesFrom(log: Log, from: number): AsyncGenerator<Buffer> {
  for (let at = from; ; ) {
    const bytes = await log.read(at, pieceBytes);
    at += bytes.length;
    if (bytes.length > 0) yield bytes;
    if (bytes.length < pieceBytes) return;
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
