// The way to one PostgreSQL database: questions that may be asked twice, statements and transactions that may not, each tried again
// when another one was in the way or a connection was cut before anything was done, and none that waits for ever.

import { SQL } from "bun";
import type { Address } from "./address.ts";
import { openLanes } from "./lanes.ts";
import { isAway, isContention, isCrowded, isCut, isInDoubt, otherQueue, plainly } from "./trouble.ts";

export interface Connection {
  /** The database as messages call it. */
  readonly shown: string;
  /** Whether a pooler hands each transaction to another connection: nothing may be kept in one then. */
  readonly pooled: boolean;
  /** The moment to take for now, for tests; null for the database's own. */
  at(): number | null;
  /** Asks one thing that may be asked twice: a question, or a statement that does no harm when repeated. */
  ask<T>(work: (sql: SQL) => Promise<T>, pace?: Pace): Promise<T>;
  /** Runs one statement that is a transaction of its own. It may have been done when this fails by `isInDoubt`. */
  tell<T>(work: (sql: SQL) => Promise<T>, pace?: Pace): Promise<T>;
  /**
   * Runs `work` in one transaction, again when another one was in the way or the connection was cut. When the answer to its commit
   * does not come, asks what became of it; so it was not done when this fails, unless by `isInDoubt`.
   */
  write<T>(work: (sql: SQL) => Promise<T>, pace?: Pace): Promise<T>;
  /** From now on, refuses what a fail-over or a restored dump may have put in this queue's place. */
  keepTo(queue: QueueHere): void;
  /** The queue that this connection keeps to. */
  readonly queue: QueueHere | undefined;
  /** Refuses another queue than that. Each new connection is asked by itself. */
  check(sql: SQL): Promise<void>;
  /** An error as the refusal that it means. */
  plainly(error: unknown): unknown;
  close(): Promise<void>;
}

/** A queue where it lies. A dump that is restored makes its tables anew: it has the queue's name, and not what was done since. */
export interface QueueHere {
  readonly id: string;
  /** The number that the server has for its tables. */
  readonly made: string;
}

/**
 * How long an answer may take. `soon`: what is done in milliseconds; a database that does not answer this is not there. `vital`: the
 * same, and waits behind nothing else. `late`: what touches very many rows, or cannot be begun again: as long as the database is there.
 */
type Pace = "vital" | "soon" | "ordinary" | "late";

export interface ConnectionOptions {
  readonly address: Address;
  readonly at: () => number | null;
  /** Whether a pooler hands each transaction to another connection: nothing may be kept in one then. */
  readonly pooled: boolean;
  /** Whether few things are asked twice: to prepare a statement is a round trip more. */
  readonly brief?: boolean;
}

/** A heartbeat is sent every 5 seconds: one that is swallowed leaves time for another one before two thirds of a lease of 30 are over. */
export const soonMs = 8_000;
export const statementMs = 30_000;
const lockMs = 5_000;

const limitMs: Readonly<Record<Pace, number>> = {
  vital: soonMs,
  soon: soonMs,
  // The server gives up before.
  ordinary: statementMs + 5_000,
  late: 15_000,
};

/** For so long a statement is tried again that others were in the way of. */
const patienceMs = 10_000;

/** How often to ask what became of a transaction; the server ends one whose client is gone within its limits. */
const askAgainMs = 1_000;

/** For the loop of a worker process, its heartbeat, and its other duties; the most that a web server asks at once. */
const mostLanes = 4;
const idleSeconds = 10;

export interface ClientOptions {
  readonly pooled: boolean;
  readonly brief?: boolean;
  /** After which the connection is closed, until it is needed again. */
  readonly idleSeconds?: number;
  readonly onClose: () => void;
}

/** One connection, made when it is first needed. */
export function makeClient(
  { options }: Address,
  { pooled, brief, idleSeconds, onClose }: ClientOptions,
): SQL {
  return new SQL({
    ...options,
    max: 1,
    idleTimeout: idleSeconds,
    onclose: onClose,
    connectionTimeout: soonMs / 1000,
    prepare: !pooled && !brief,
    connection: {
      application_name: "queuectl",
      // In what the client writes, whatever the URL, the role or the database says.
      client_encoding: "UTF8",
      // A pooler refuses what it does not know, or forgets it.
      ...(pooled ? {} : { ...statementLimits, ...noticeOfTheDead, ...uncompiled, [directMark]: "yes" }),
    },
  });
}

/** A setting of our own: where a session does not have it, a pooler stands between. */
export const directMark = "queuectl.direct";

/** Rows that nobody has counted yet make a plan look so dear that it is compiled for most of a second, and then run for a tenth of a ms. */
const uncompiled = { jit: "off" };

const statementLimits = {
  statement_timeout: statementMs,
  lock_timeout: lockMs,
  idle_in_transaction_session_timeout: statementMs,
};

/** Lets the server give up the connections of a machine that vanished within a minute; by default it takes hours. */
const noticeOfTheDead = {
  tcp_keepalives_idle: 30,
  tcp_keepalives_interval: 10,
  tcp_keepalives_count: 3,
};

export function connect({ address, at, pooled, brief = false }: ConnectionOptions): Connection {
  const { shown } = address;
  let queue: QueueHere | undefined;
  const openLane = (onClose: () => void) => makeClient(address, { pooled, brief, idleSeconds, onClose });
  const lanes = openLanes({ open: openLane, most: mostLanes, check });

  async function check(sql: SQL): Promise<void> {
    if (queue === undefined) return;
    const [found] = await sql`select id, tableoid::text as made from queuectl.meta`;
    if (found?.id !== queue.id || found?.made !== queue.made) throw otherQueue(shown);
  }

  async function patiently<T>(attempt: () => Promise<T>, mayRepeat: (error: unknown) => boolean): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (performance.now() > deadline || !mayRepeat(error)) throw error;
      }
      await Bun.sleep(2 + Math.random() * 20);
    }
  }

  /** Every connection may have been cut while nobody used it, which shows only when it is used. */
  function cutSeldom(): (error: unknown) => boolean {
    let left = mostLanes;
    return (error) => isCut(error) && left-- > 0;
  }

  async function isThere(): Promise<boolean> {
    const probe = openLanes({ open: openLane, most: 1, check: async () => {} });
    try {
      await probe.run((sql) => sql`select 1`, { limitMs: soonMs });
      return true;
    } catch (error) {
      return isCrowded(error);
    } finally {
      void probe.close();
    }
  }

  const inWords = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw plainly(error, shown);
    }
  };

  const over = <T>(work: (sql: SQL) => Promise<T>, pace: Pace = "ordinary") =>
    lanes.run(work, {
      limitMs: limitMs[pace],
      there: pace === "late" ? isThere : undefined,
      urgent: pace === "vital",
    });

  async function write<T>(work: (sql: SQL) => Promise<T>, pace?: Pace): Promise<T> {
    const wasCut = cutSeldom();
    for (;;) {
      /** Set when nothing but the commit is left: before, nothing can have been done. */
      let asked: { readonly result: T; readonly xid: string | null } | undefined;
      const transaction = (sql: SQL) => {
        asked = undefined;
        return sql.begin(async (tx) => {
          const result = await work(tx);
          const [{ xid }] = await tx`select pg_current_xact_id_if_assigned()::text as xid`;
          asked = { result, xid };
        }) as Promise<void>;
      };
      try {
        await patiently(
          () => over(transaction, pace),
          (error) => isContention(error) || (!asked && pace !== "late" && wasCut(error)),
        );
        return asked!.result;
      } catch (error) {
        if (!asked?.xid || !isInDoubt(error)) throw error;
        if (await isCommitted(asked.xid, error)) return asked.result;
        if (pace === "late" || !wasCut(error)) throw error;
      }
    }
  }

  /** Asks what became of a transaction whose commit was not answered; gives up with that error. */
  async function isCommitted(xid: string, doubt: unknown): Promise<boolean> {
    const deadline = performance.now() + limitMs.ordinary;
    for (;;) {
      try {
        const [{ status }] = await over((sql) => sql`select pg_xact_status(${xid}::xid8) as status`, "soon");
        if (status === "committed" || status === "aborted") return status === "committed";
      } catch (error) {
        // A server that has not heard of it knows no more of it later.
        if (!isAway(error)) throw doubt;
      }
      if (performance.now() > deadline) throw doubt;
      await Bun.sleep(askAgainMs);
    }
  }

  return {
    shown,
    pooled,
    at,
    ask(work, pace) {
      const wasCut = cutSeldom();
      return inWords(
        patiently(
          () => over(work, pace),
          (error) => isContention(error) || wasCut(error),
        ),
      );
    },
    tell: (work, pace) => patiently(() => over(work, pace), isContention),
    write: (work, pace) => inWords(write(work, pace)),
    keepTo(here) {
      queue = here;
    },
    get queue() {
      return queue;
    },
    check,
    plainly: (error) => plainly(error, shown),
    close: lanes.close,
  };
}
