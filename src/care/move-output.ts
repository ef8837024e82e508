// The output of a queue that moves: files below the home folder on one side, pieces in the database on the other.

import { closeSync, openSync, readSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Refusal } from "../domain/errors.ts";
import { ensureFolderOf, errorLogPath, fileMode, jobLogPath, jobLogsFolder } from "../home.ts";
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
  throw new Refusal(
    "conflict",
    `there are logs of another queue in ${jobLogsFolder(home)}`,
    "name another folder, or move those logs away",
  );
}

const attempts = movedTables.find(({ name }) => name === "attempts")!;

const pieceBytes = 256 * 1024;

/** Pieces are gathered up to so many, or so many bytes. */
const piecesAtOnce = 500;
const bytesAtOnce = 4 * 1024 ** 2;

/** What is on the disk of the attempts that the queue knows. */
async function* piecesOf(departure: Departure, home: string): AsyncIterable<readonly MovedOutput[]> {
  let gathered: MovedOutput[] = [];
  let size = 0;
  for await (const rows of departure.rows(attempts)) {
    for (const { job_seq, number } of rows as unknown as readonly { job_seq: number; number: number }[]) {
      for (const piece of allPiecesIn(jobLogPath(home, job_seq, number))) {
        gathered.push({ job_seq, attempt: number, ...piece });
        size += piece.bytes.length;
        if (gathered.length < piecesAtOnce && size < bytesAtOnce) continue;
        yield gathered;
        gathered = [];
        size = 0;
      }
    }
  }
  if (gathered.length > 0) yield gathered;
}

/** What was kept apart on stderr comes behind the rest: elsewhere there is one piece. */
function* allPiecesIn(path: string): ReturnType<typeof piecesIn> {
  let end = 0;
  for (const one of [path, errorLogPath(path)]) {
    const offset = end;
    for (const { start, bytes } of piecesIn(one)) {
      yield { start: offset + start, bytes };
      end = offset + start + bytes.length;
    }
  }
}

function* piecesIn(path: string): Generator<Pick<MovedOutput, "start" | "bytes">> {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return;
  const file = openSync(path, "r");
  try {
    for (let start = 0; start < size; ) {
      const bytes = Buffer.alloc(Math.min(pieceBytes, size - start));
      const read = readSync(file, bytes, 0, bytes.length, start);
      if (read === 0) return;
      yield { start, bytes: bytes.subarray(0, read) };
      start += read;
    }
  } finally {
    closeSync(file);
  }
}

function writePiece(home: string, { job_seq, attempt, start, bytes }: MovedOutput): void {
  const path = jobLogPath(home, job_seq, attempt);
  if (start === 0) ensureFolderOf(path);
  writeFileSync(path, bytes, { mode: fileMode, flag: start === 0 ? "wx" : "a" });
}
