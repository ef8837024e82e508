// What a long-running process says: one line per event, on stderr and in the log of each worker it concerns.

import { appendFileSync, renameSync, statSync } from "node:fs";
import { ensureFolderOf, fileMode } from "./home.ts";

/** A worker's log is renamed to `….1` when it has grown to this many bytes. */
const rotateBytes = 1024 ** 2;

export interface EventLog {
  /** A line about one worker, or about all of this process's. */
  say(line: string, workerId?: string): void;
}

export interface EventLogOptions {
  /** Whose log gets the lines that are about no worker in particular. */
  readonly worker_ids: readonly string[];
  /** The file that keeps what is said about a worker. */
  readonly pathOf: (workerId: string) => string;
  /** Whether stderr gets the lines too. */
  readonly echo: boolean;
}

export function openEventLog({ worker_ids, pathOf, echo }: EventLogOptions): EventLog {
  const sizes = new Map<string, number>();

  const sizeOf = (path: string) => {
    if (!sizes.has(path)) ensureFolderOf(path);
    return sizes.get(path) ?? statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  };

  const append = (path: string, text: string) => {
    const size = sizeOf(path) + text.length;
    if (size > rotateBytes) renameSync(path, `${path}.1`);
    sizes.set(path, size > rotateBytes ? text.length : size);
    appendFileSync(path, text, { mode: fileMode });
  };

  const write = (path: string, text: string) => {
    try {
      append(path, text);
    } catch {
      // Its folder may have been taken away since, and is made anew.
      sizes.delete(path);
      try {
        append(path, text);
      } catch {
        // A full disk must not stop a worker from working; stderr still has the line.
      }
    }
  };

  // Who heard it has gone, or their disk is full: the logs of the workers still have the line.
  if (echo) process.stderr.on("error", () => {});

  /** By file, what is said at one moment: of a job that ended and the next one that begins, as a rule. */
  let waiting = new Map<string, string>();

  const flush = () => {
    const texts = waiting;
    waiting = new Map();
    for (const [path, text] of texts) write(path, text);
  };

  const put = (path: string, text: string) => {
    if (waiting.size === 0) queueMicrotask(flush);
    waiting.set(path, (waiting.get(path) ?? "") + text);
  };

  return {
    say(line, workerId) {
      const now = new Date();
      if (echo) process.stderr.write(`${clockTime(now)} ${workerId ? `${workerId} ` : ""}${line}\n`);
      for (const id of workerId === undefined ? worker_ids : [workerId])
        put(pathOf(id), `${now.toISOString()} ${line}\n`);
    },
  };
}

const clockTime = (date: Date) =>
  [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
