// Brings what commands print into the store, where that keeps output: about once a second while they run, and the end of it with their
// settlement. The commands write to files of this machine all the same, the spool: none of them waits for a database, and nothing is
// lost while it is away.

import { closeSync, openSync, statSync } from "node:fs";
import { isSystemError, Refusal } from "../domain/errors.ts";
import type { ClaimedJob, Lease, Settlement } from "../domain/lease.ts";
import { readAt } from "../store/logs.ts";
import type { Output, Store } from "../store/store.ts";
import { outputPath, removeLog } from "./job-logs.ts";

export interface Courier {
  /** Looks after the output of an attempt from now on; of one that was taken over, what its last worker has sent is there already. */
  take(claimed: ClaimedJob, how: "started" | "taken over"): void;
  /** Sends what is new. */
  send(): Promise<void>;
  /** Of an attempt that has ended, with how much it printed: fulfilled when so little is left that it can go with the settlement. */
  nearlySent(lease: Lease, bytes: number): Promise<void>;
  /** The settlement with the rest of the output, and with how much there is of it. */
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

interface Errand {
  readonly lease: Lease;
  readonly attempt: number;
  readonly path: string;
  /** Bytes that the store has; undefined when it has to be asked. */
  stored: number | undefined;
  /** Where the output ends; undefined as long as the attempt runs. */
  end: number | undefined;
  /** Whether somebody else has the job. */
  stale: boolean;
  onNearlySent(): void;
}

export const openCourier = (options: CourierOptions): Courier =>
  options.store.output ? courierTo(options.store.output, options) : nothingToCarry;

function courierTo(output: Output, { store, home, limit }: CourierOptions): Courier {
  const errands = new Map<Lease, Errand>();
  let sending: Promise<void> | undefined;
  let failure: Refusal | undefined;

  /** Bytes to be sent; there may be any number as long as it is not known where to go on. */
  function left({ stale, stored, end, path }: Errand): number {
    if (stale) return 0;
    if (stored === undefined) return Number.POSITIVE_INFINITY;
    return (end ?? Math.min(sizeOf(path), limit())) - stored;
  }

  const isNearlySent = (errand: Errand) => errand.end !== undefined && left(errand) <= restBytes;

  async function sendPiece(errand: Errand): Promise<void> {
    const { lease, attempt, path } = errand;
    errand.stored ??= await output.size(lease.job_seq, attempt);
    const start = errand.stored;
    const bytes = readSpool(path, start, Math.min(pieceBytes, left(errand)));
    if (bytes.length > 0) {
      const stored = await output.append(lease, { start, bytes });
      if (stored === null) errand.stale = true;
      else errand.stored = stored;
    } else if (errand.end !== undefined) {
      // The spool has less than was printed: somebody took it away.
      errand.end = start;
    }
    if (isNearlySent(errand)) errand.onNearlySent();
  }

  /** A piece of each in turn, until what is left is little, or too little to be a piece of what goes on. */
  async function sendAll(): Promise<void> {
    for (let least = 1; ; least = pieceBytes) {
      const due = [...errands.values()].filter((errand) =>
        errand.end === undefined ? left(errand) >= least : !isNearlySent(errand),
      );
      if (due.length === 0) break;
      for (const errand of due) await sendPiece(errand);
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

  return {
    send,

    take({ lease, attempt }, how) {
      errands.set(lease, {
        lease,
        attempt,
        path: outputPath({ store, home }, lease.job_seq, attempt),
        stored: how === "started" ? 0 : undefined,
        end: undefined,
        stale: false,
        onNearlySent() {},
      });
    },

    async nearlySent(lease, bytes) {
      const errand = errands.get(lease)!;
      errand.end = bytes;
      if (isNearlySent(errand)) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      errand.onNearlySent = resolve;
      void send();
      await promise;
    },

    async complete(settlement) {
      const errand = errands.get(settlement.lease)!;
      errand.end ??= settlement.ending.log_bytes;
      while (!isNearlySent(errand)) await sendPiece(errand);
      if (errand.stale) return settlement;
      const start = errand.stored!;
      const bytes = readSpool(errand.path, start, left(errand));
      return {
        ...settlement,
        ending: { ...settlement.ending, log_bytes: start + bytes.length },
        rest: bytes.length > 0 ? { start, bytes } : undefined,
      };
    },

    done(lease, isSettled) {
      if (isSettled) removeLog(errands.get(lease)!.path);
      errands.delete(lease);
    },

    doubt() {
      for (const errand of errands.values()) errand.stored = undefined;
    },

    check() {
      const waits = (errand: Errand) => errand.end !== undefined && !isNearlySent(errand);
      if (failure && errands.values().some(waits)) throw failure;
    },
  };
}

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

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** What cannot be read is not there. */
function readSpool(path: string, start: number, length: number): Buffer {
  if (length <= 0) return Buffer.alloc(0);
  try {
    const file = openSync(path, "r");
    try {
      return readAt(file, start, length);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return Buffer.alloc(0);
  }
}
