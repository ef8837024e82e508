// The way to one PostgreSQL database: a small pool of connections that is replaced when it stops answering, and transactions
// that are tried again when another one was in the way.

import { SQL } from "bun";
import type { Address } from "./address.ts";
import { isContention, isInDoubt, plainly, Unanswered } from "./trouble.ts";

export interface Connection {
  /** The database as messages call it. */
  readonly shown: string;
  /** Which part of what is counted in slots this process writes. */
  readonly slot: number;
  /** The moment to take for now, for tests; null for the database's own. */
  at(): number | null;
  /** Asks one thing that may be asked twice: a question, or a statement that does no harm when repeated. */
  ask<T>(work: (sql: SQL) => Promise<T>): Promise<T>;
  /** Runs one statement that is a transaction of its own. It may have been done when this fails by `isInDoubt`. */
  tell<T>(work: (sql: SQL) => Promise<T>): Promise<T>;
  /** Runs `work` in one transaction, again when another one was in the way. */
  write<T>(work: (sql: SQL) => Promise<T>, options?: { readonly slow: boolean }): Promise<T>;
  /** An error as the refusal that it means. */
  plainly(error: unknown): unknown;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly address: Address;
  readonly at: () => number | null;
  /** Whether a pooler hands each transaction to another connection: nothing may be kept in one then. */
  readonly pooled: boolean;
}

/** How many slots what is counted lies in: writers at the same moment seldom share one, and a sum stays short. */
export const slots = 16;

/** A question that was not answered by then never will be: the network swallows it, or the server hangs. */
const answerMs = 15_000;
const statementMs = 30_000;
const lockMs = 5_000;
const tries = 8;

/** For the loop of a worker process, its heartbeat, and its other duties. */
const connections = 4;

/** Connects when it is first asked. */
export function makeClient(
  { options }: Address,
  { pooled, connections }: { readonly pooled: boolean; readonly connections: number },
): SQL {
  return new SQL({
    ...options,
    max: connections,
    connectionTimeout: answerMs / 1000,
    prepare: !pooled,
    connection: {
      application_name: "queuectl",
      // A pooler refuses what it does not know.
      ...(pooled
        ? {}
        : {
            statement_timeout: statementMs,
            lock_timeout: lockMs,
            idle_in_transaction_session_timeout: statementMs,
          }),
    },
  });
}

export function connect({ address, at, pooled }: ConnectionOptions): Connection {
  const { shown } = address;
  let sql = makeClient(address, { pooled, connections });
  let closed = false;

  /** Gives up connections that may never answer any more. */
  function replace(broken: SQL): void {
    if (closed || broken !== sql) return;
    sql = makeClient(address, { pooled, connections });
    void broken.close({ timeout: 0 }).catch(() => {});
  }

  async function answered<T>(used: SQL, answer: Promise<T>): Promise<T> {
    let timer: Timer | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Unanswered()), answerMs);
    });
    try {
      return await Promise.race([answer, silence]);
    } catch (error) {
      if (error instanceof Unanswered) {
        answer.catch(() => {});
        replace(used);
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async function patiently<T>(attempt: () => Promise<T>, mayRepeat: (error: unknown) => boolean): Promise<T> {
    for (let left = tries; ; left--) {
      try {
        return await attempt();
      } catch (error) {
        if (left <= 1 || !mayRepeat(error)) throw error;
      }
      await Bun.sleep(2 + Math.random() * 20);
    }
  }

  const told = <T>(work: (sql: SQL) => Promise<T>) => answered(sql, work(sql));
  const inWords = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw plainly(error, shown);
    }
  };

  return {
    shown,
    slot: Math.floor(Math.random() * slots),
    at,
    ask(work) {
      // A connection that was cut while nobody used it shows that only now.
      let cut = 0;
      const mayRepeat = (error: unknown) =>
        isContention(error) || (isInDoubt(error) && !(error instanceof Unanswered) && ++cut <= 1);
      return inWords(patiently(() => told(work), mayRepeat));
    },
    tell: (work) => patiently(() => told(work), isContention),
    write: (work, options) =>
      inWords(
        patiently(() => {
          const used = sql;
          const done = used.begin(work) as Promise<Awaited<ReturnType<typeof work>>>;
          return options?.slow ? done : answered(used, done);
        }, isContention),
      ),
    plainly: (error) => plainly(error, shown),
    async close() {
      closed = true;
      await sql.close({ timeout: 0 }).catch(() => {});
    },
  };
}
