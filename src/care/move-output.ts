// The output of a queue that moves: files below the home folder on one side, pieces in the database on the other.

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { Refusal } from "../domain/errors.ts";
import { streams } from "../domain/rules.ts";
import { writeGap } from "../gap.ts";
import { databasePath, ensureFolderOf, errorLogPath, fileMode, jobLogPath, jobLogsFolder } from "../home.ts";
import { openFileLog, piecesFrom } from "../store/logs.ts";
import type { OutputOf } from "../store/store.ts";
import { type Arrival, type Departure, type MovedOutput, movedTables } from "../store/transfer.ts";
import { foundJobLogs } from "./job-logs.ts";

export interface OutputMove {
  readonly departure: Departure;
  readonly arrival: Arrival;
  /** The home folders on both sides. */
  readonly from: string;
  readonly to: string;
}

export async function moveOutput({ departure, arrival, from, to }: OutputMove): Promise<void> {
  if (arrival.addOutput) {
    for await (const pieces of piecesOf(departure, from)) await arrival.addOutput(pieces);
    return;
  }
  for await (const pieces of departure.output!()) for (const piece of pieces) writePiece(to, piece);
}

/** Of a move to this folder that failed on the way. */
export const removeOutput = (home: string) => rmSync(jobLogsFolder(home), { recursive: true, force: true });

/** Jobs keep their numbers, and logs are named by them. */
export function refuseOtherLogs(home: string): void {
  const { value: found } = foundJobLogs(home).next();
  if (found === undefined) return;
  const logs = jobLogsFolder(home);
  // Most often the queue itself, as it was before it moved.
  if (existsSync(databasePath(home))) {
    throw new Refusal(
      "conflict",
      `there is a queue in ${home} already, with logs of its jobs`,
      `name another folder, or move away queue.db with its -wal and -shm, and ${logs}`,
    );
  }
  throw new Refusal(
    "conflict",
    `there are logs of another queue in ${logs}`,
    "name another folder, or move those logs away",
  );
}

const attempts = movedTables.find(({ name }) => name === "attempts")!;

/** Pieces are gathered up to so many, or so many bytes. */
const piecesAtOnce = 500;
const bytesAtOnce = 4 * 1024 ** 2;

/** What is on the disk of the attempts that the queue knows. */
async function* piecesOf(departure: Departure, home: string): AsyncIterable<readonly MovedOutput[]> {
  let gathered: MovedOutput[] = [];
  let size = 0;
  for await (const rows of departure.rows(attempts)) {
    for (const { job_seq, number } of rows as unknown as readonly { job_seq: number; number: number }[]) {
      for (const stream of streams) {
        for await (const piece of piecesIn(fileOf(home, { job_seq, attempt: number, stream }))) {
          gathered.push({ job_seq, attempt: number, stream, ...piece });
          size += piece.bytes.length;
          if (gathered.length < piecesAtOnce && size < bytesAtOnce) continue;
          yield gathered;
          gathered = [];
          size = 0;
        }
      }
    }
  }
  if (gathered.length > 0) yield gathered;
}

type MovedPiece = Pick<MovedOutput, "start" | "bytes" | "left_out">;

async function* piecesIn(path: string): AsyncGenerator<MovedPiece> {
  using log = openFileLog(path);
  if (!log) return;
  let end = 0;
  for await (const { start, bytes } of piecesFrom(log, 0)) {
    if (start > end) yield { start: end, bytes: new Uint8Array(), left_out: start - end };
    if (bytes.length > 0) yield { start, bytes, left_out: 0 };
    end = start + bytes.length;
  }
}

function writePiece(home: string, { start, bytes, left_out, ...of }: MovedOutput): void {
  const path = fileOf(home, of);
  if (start === 0) ensureFolderOf(path);
  writeFileSync(path, bytes, { mode: fileMode, flag: start === 0 ? "wx" : "a" });
  if (left_out > 0) writeGap(path, { from: start, to: start + left_out, at: start });
}

function fileOf(home: string, { job_seq, attempt, stream }: OutputOf): string {
  const path = jobLogPath(home, job_seq, attempt);
  return stream === "stdout" ? path : errorLogPath(path);
}
