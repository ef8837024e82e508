// Brings what commands print into the store, where that keeps output: about once a second while they run, and the end of it with their
// settlement. The commands write to files of this machine all the same, the spool: none of them waits for a database, and nothing is
// lost while it is away.

import type { Gap } from "../domain/attempt.ts";
import { isSystemError, Refusal } from "../domain/errors.ts";
import type { ClaimedJob, Lease, Settlement, StreamPiece } from "../domain/lease.ts";
import { streamsOf } from "../domain/rules.ts";
import { readGap } from "../gap.ts";
import { errorLogPath } from "../home.ts";
import { endOfFileLog, type LogPiece, openFileLog } from "../store/logs.ts";
import type { Output, OutputOf, Store } from "../store/store.ts";
import { outputPath, removeLogs } from "./job-logs.ts";

export interface Courier {
  /** Looks after the output of an attempt from now on; of one that was taken over, what its last worker has sent is there already. */
  take(claimed: ClaimedJob, how: "started" | "taken over"): void;
  /** Sends what is new. */
  send(): Promise<void>;
  /** Of an attempt that has ended: fulfilled when so little of its output is left that it can go with the settlement. */
  nearlySent(lease: Lease): Promise<void>;
  /** The settlement with the rest of the output, and with how much is kept of it. */
  complete(settlement: Settlement): Promise<Settlement>;
  /** Forgets an attempt; nobody needs the spool of a settled one any more. */
  done(lease: Lease, isSettled: boolean): void;
  /** The store was in trouble, and may have lost what it had. */
  doubt(): void;
  /** Refuses what the store refused when the output of an attempt that ended was sent last. */
  check(): void;
}

export interface CourierOptions {
  readonly store: Pick<Store, "output">;
  readonly home: string;
  /** The most output kept of one attempt, in bytes. */
  readonly limit: () => number;
}

/** What is in memory, and in one statement, at most. */
const pieceBytes = 256 * 1024;

/** What goes with a settlement: of most jobs, all they print. */
const restBytes = 8 * 1024;

/**
 * Once something has to be left out, so many pieces are sent at a time while the command runs: what comes faster than that is left out
 * on the way, so that a command that never stops writing does not keep the database busy with what is thrown away again.
 */
const piecesBehindGap = 4;

/** What one stream of an attempt has to be sent. */
interface Errand {
  readonly lease: Lease;
  readonly of: OutputOf;
  readonly path: string;
  /** The most that is sent before anything is left out. */
  readonly most: () => number;
  /** Where the output ends that the store has; undefined when it has to be asked. */
  stored: number | undefined;
  /** Where the gap ends that the store knows of; 0 when there is none, undefined when it has to be told again. */
  told: number | undefined;
  /** Where the output ends; undefined as long as the attempt runs. */
  end: number | undefined;
  /** Whether somebody else has the job. */
  stale: boolean;
  onNearlySent(): void;
}

export const openCourier = (options: CourierOptions): Courier =>
  options.store.output ? courierTo(options.store.output, options) : nothingToCarry;

function courierTo(output: Output, { store, home, limit }: CourierOptions): Courier {
  const errandsOf = new Map<Lease, readonly Errand[]>();
  let sending: Promise<void> | undefined;
  let failure: Refusal | undefined;

  const errands = () => [...errandsOf.values()].flat();

  async function sendPiece(errand: Errand): Promise<void> {
    const { lease, of, path } = errand;
    errand.stored ??= await output.size(of);
    const { stored } = errand;
    const gap = newGap(errand);
    const piece = await readSpool(path, stored, Math.min(pieceBytes, left(errand)));
    const bytes = piece.bytes.subarray(
      0,
      Math.max(0, (errand.end ?? Number.POSITIVE_INFINITY) - piece.start),
    );
    if (bytes.length > 0 || gap) {
      const now = await output.append(lease, { stream: of.stream, start: piece.start, bytes }, gap);
      if (now === null) errand.stale = true;
      else errand.stored = now;
      if (gap && now !== null && now >= gap.to) errand.told = gap.to;
    } else if (errand.end !== undefined) {
      // The spool has less than was printed: somebody took it away.
      errand.end = stored;
    }
    if (isNearlySent(errand)) errand.onNearlySent();
  }

  /** A piece of each in turn, until what is left is little, or too little to be a piece of what goes on. */
  async function sendAll(): Promise<void> {
    const sent = new Map<Errand, number>();
    const isDue = (errand: Errand, least: number) => {
      if (errand.end !== undefined) return !isNearlySent(errand);
      const isPatient = readGap(errand.path) !== undefined && (sent.get(errand) ?? 0) >= piecesBehindGap;
      return !isPatient && left(errand) >= least;
    };
    for (let least = 1; ; least = pieceBytes) {
      const due = errands().filter((errand) => isDue(errand, least));
      if (due.length === 0) break;
      for (const errand of due) {
        await sendPiece(errand);
        sent.set(errand, (sent.get(errand) ?? 0) + 1);
      }
    }
    failure = undefined;
  }

  async function send(): Promise<void> {
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
    try {
      await sending;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failure = error;
    }
  }

  /** Nothing is sent any more of what is printed from now on. */
  function end(errand: Errand): void {
    errand.end ??= endOfFileLog(errand.path);
  }

  return {
    send,

    take({ lease, attempt, job }, how) {
      const path = outputPath({ store, home }, lease.job_seq, attempt);
      const streams = streamsOf(job.rules);
      const isNew = how === "started";
      errandsOf.set(
        lease,
        streams.map((stream) => ({
          lease,
          of: { job_seq: lease.job_seq, attempt, stream },
          path: stream === "stdout" ? path : errorLogPath(path),
          most: () => Math.floor(limit() / streams.length),
          stored: isNew ? 0 : undefined,
          told: isNew ? 0 : undefined,
          end: undefined,
          stale: false,
          onNearlySent() {},
        })),
      );
    },

    async nearlySent(lease) {
      const unsent = errandsOf.get(lease)!.map((errand) => {
        end(errand);
        if (isNearlySent(errand)) return undefined;
        const { promise, resolve } = Promise.withResolvers<void>();
        errand.onNearlySent = resolve;
        return promise;
      });
      if (unsent.every((promise) => promise === undefined)) return;
      void send();
      await Promise.all(unsent);
    },

    async complete(settlement) {
      const own = errandsOf.get(settlement.lease)!;
      const rests: StreamPiece[] = [];
      let log_bytes = 0;
      for (const errand of own) {
        end(errand);
        while (!isNearlySent(errand)) await sendPiece(errand);
        if (errand.stale) return settlement;
        const { path, of } = errand;
        const { start, bytes } = await readSpool(path, errand.stored!, left(errand));
        if (bytes.length > 0) rests.push({ stream: of.stream, start, bytes });
        const gap = readGap(path);
        log_bytes += start + bytes.length - (gap ? gap.to - gap.from : 0);
      }
      return { ...settlement, ending: { ...settlement.ending, log_bytes }, rests };
    },

    done(lease, isSettled) {
      if (isSettled) removeLogs(errandsOf.get(lease)![0]!.path);
      errandsOf.delete(lease);
    },

    doubt() {
      for (const errand of errands()) errand.stored = errand.told = undefined;
    },

    check() {
      const waits = (errand: Errand) => errand.end !== undefined && !isNearlySent(errand);
      if (failure && errands().some(waits)) throw failure;
    },
  };
}

/** Bytes to be sent; there may be any number as long as it is not known where to go on. */
function left({ stale, stored, end, path, most }: Errand): number {
  if (stale) return 0;
  if (stored === undefined) return Number.POSITIVE_INFINITY;
  const gap = readGap(path);
  const isInGap = gap !== undefined && stored >= gap.from && stored < gap.to;
  const until = end ?? (gap ? endOfFileLog(path) : Math.min(endOfFileLog(path), most()));
  return until - (isInGap ? gap.to : stored);
}

/** What was left out that the store does not know of, once it has what comes before. */
function newGap({ stale, stored, told, path }: Errand): Gap | undefined {
  if (stale || stored === undefined) return undefined;
  const gap = readGap(path);
  return gap && told !== gap.to && stored >= gap.from ? gap : undefined;
}

const isNearlySent = (errand: Errand) =>
  errand.end !== undefined && left(errand) <= restBytes && newGap(errand) === undefined;

/** Where output lies in files, it is where it should be. */
const nothingToCarry: Courier = {
  take() {},
  async send() {},
  async nearlySent() {},
  complete: async (settlement) => settlement,
  done() {},
  doubt() {},
  check() {},
};

/** What cannot be read is not there. */
async function readSpool(path: string, start: number, length: number): Promise<LogPiece> {
  const nothing = { start, bytes: Buffer.alloc(0) };
  try {
    using log = length > 0 ? openFileLog(path) : undefined;
    return log ? await log.read(start, length) : nothing;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return nothing;
  }
}
