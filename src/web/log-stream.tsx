// A log as it grows, as events: whole lines as they are done, what stands in the last one as it changes, and the end.
/** @jsxImportSource @kitajs/html */

import { closeSync, fstatSync } from "node:fs";
import { LogLines } from "../../views/parts/log.tsx";
import type { Job } from "../domain/job.ts";
import { terminalReader } from "../domain/terminal-text.ts";
import { jobLogPath } from "../home.ts";
import { openLog } from "./log-file.ts";
import { type LogReader, logReader } from "./log-secrets.ts";
import type { Send } from "./streams.ts";
import type { Web } from "./web.ts";

export interface LogPlace {
  readonly job: Job;
  readonly attempt: number;
  readonly from: number;
  readonly line: number;
}

/** How often the file is looked at; the eye does not want it faster. */
const tickMs = 200;

/** What one event carries at most. */
const mostBytes = 64 * 1024;

/** A line that is not done yet is shown up to here. */
const longestTail = 2000;

export async function followLog(
  web: Web,
  { job, attempt, from, line }: LogPlace,
  send: Send,
  signal: AbortSignal,
): Promise<void> {
  const path = jobLogPath(web.home, job.seq, attempt);
  const source = logReader(job.env);
  const reader = terminalReader();
  const decoder = new TextDecoder();
  let at = from;
  let number = line;
  let tail = "";

  /** Sends what was added; false when nothing was. */
  const sendNews = (isOver: boolean): boolean => {
    const bytes = readFrom(path, at, source, isOver);
    if (bytes.length === 0) return false;
    at += bytes.length;
    const lines = reader.read(decoder.decode(bytes, { stream: true }));
    if (lines.length > 0) {
      // The place is that of the last line's end, so that a stream that breaks off begins with a whole line.
      const unfinished = bytes.length - 1 - bytes.lastIndexOf(10);
      const markup = String(<LogLines lines={lines} first={number} />);
      number += lines.length;
      send({ id: `${at - unfinished}:${number}`, data: markup });
    }
    const rest = reader
      .rest()
      .map((run) => run.text)
      .join("")
      .slice(0, longestTail);
    if (rest !== tail || lines.length > 0) send({ event: "tail", data: JSON.stringify(rest) });
    tail = rest;
    return true;
  };

  while (!signal.aborted) {
    // The order matters: what is read after an end was seen is all there is.
    const attempts = await web.shared(`attempts ${job.seq}`, () => web.store.jobs.attempts(job.seq));
    const isOver = attempts.find((one) => one.number === attempt)?.result !== null;
    while (!signal.aborted && sendNews(isOver)) await Bun.sleep(0);
    if (isOver) return send({ event: "done", data: "" });
    await Bun.sleep(tickMs);
  }
}

function readFrom(path: string, from: number, source: LogReader, isOver: boolean): Buffer {
  const file = openLog(path);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const bytes = source.read(file, from, Math.max(0, Math.min(mostBytes, fstatSync(file).size - from)));
    return isOver ? bytes : source.withoutBegun(bytes);
  } finally {
    closeSync(file);
  }
}
