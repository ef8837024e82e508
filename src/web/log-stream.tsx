// A log as it grows, as events: whole lines as they are done, what stands in the last one as it changes, and the end.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { LeftOut, LogLines } from "../../views/parts/log.tsx";
import type { Gap } from "../domain/attempt.ts";
import type { Job } from "../domain/job.ts";
import type { Stream } from "../domain/rules.ts";
import { terminalReader } from "../domain/terminal-text.ts";
import { type LogPiece, openJobLog } from "../store/logs.ts";
import { withoutSecrets } from "./log-secrets.ts";
import type { EventStream } from "./streams.ts";
import type { Web } from "./web.ts";

/** What is followed, and from which byte and which line on. */
interface Followed {
  readonly job: Job;
  readonly attempt: number;
  readonly stream: Stream;
  readonly from: number;
  readonly line: number;
}

/** How often a file is looked at; the eye does not want it faster. */
const tickMs = 200;

/** How often a store is asked, to which what was printed comes about once a second. */
const askMs = 500;

/** What one event carries at most. */
const mostBytes = 64 * 1024;

/** A line that is not done yet is shown up to here. */
const longestTail = 2000;

export async function followLog(
  web: Web,
  { job, attempt, stream, from, line }: Followed,
  { send, signal, room }: EventStream,
): Promise<void> {
  let reader = terminalReader();
  let decoder = new TextDecoder();
  let at = from;
  let number = line;
  let tail = "";

  /** Sends what was added; false when nothing was. */
  const sendNews = async (isOver: boolean): Promise<boolean> => {
    const { start, bytes } = await readFrom(web, { job, attempt, stream, from: at }, isOver);
    if (start > at) sendGap({ from: at, to: start });
    else if (bytes.length === 0) return false;
    at = start + bytes.length;
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

  /** What stood in the line that was not done is a line, and behind what was left out another begins. */
  function sendGap(gap: Gap): void {
    const rest = reader.rest();
    const lines = rest.length > 0 ? [rest] : [];
    const markup = String(
      <>
        <LogLines lines={lines} first={number} />
        <LeftOut gap={gap} />
      </>,
    );
    number += lines.length;
    send({ id: `${gap.to}:${number}`, data: markup });
    send({ event: "tail", data: JSON.stringify("") });
    tail = "";
    reader = terminalReader();
    decoder = new TextDecoder();
  }

  while (!signal.aborted) {
    // The order matters: what is read after an end was seen is all there is.
    const attempts = await web.shared(`attempts ${job.seq}`, () => web.store.jobs.attempts(job.seq));
    const isOver = attempts.find((one) => one.number === attempt)?.result !== null;
    while (!signal.aborted && (await sendNews(isOver))) await room();
    if (isOver) return send({ event: "done", data: "" });
    await Bun.sleep(web.store.output ? askMs : tickMs);
  }
}

async function readFrom(
  web: Web,
  { job, attempt, stream, from }: Omit<Followed, "line">,
  isOver: boolean,
): Promise<LogPiece> {
  using log = openJobLog(web, job.seq, attempt, stream);
  if (!log) return { start: from, bytes: Buffer.alloc(0) };
  const shown = withoutSecrets(log, job, web);
  const { start, bytes } = await shown.read(from, mostBytes);
  return { start, bytes: isOver ? bytes : shown.withoutBegun(bytes) };
}
