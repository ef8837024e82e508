// One open SQLite database: prepared statements, and transactions that wait for their turn without stopping the event loop.

import type { Database, Statement } from "bun:sqlite";
import { watchFile } from "./same-file.ts";

export interface Connection {
  readonly path: string;
  readonly db: Database;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Prepared once for each text. */
  sql(text: string): Statement<Row, Bindings[]>;
  /** Runs what must stand outside of a transaction. */
  plain<T>(work: () => T): Promise<T>;
  /** Runs reads that belong together. */
  read<T>(work: () => T): Promise<T>;
  /** Runs `work` in one transaction, and returns when it is on disk. `work` must not await anything. */
  write<T>(work: () => T): Promise<T>;
  close(): void;
}

type Value = string | number | bigint | null;
// biome-ignore lint/suspicious/noExplicitAny: what a row holds is said by the statement that reads it
type Row = any;
type Bindings = Record<string, Value> | Value;

/** Loaded when there is some. */
const trouble = () => require("./trouble.ts") as typeof import("./trouble.ts");

/** How long SQLite itself may wait for a lock: it stops the event loop, so signals and timers wait with it. */
export const busyTimeoutMs = 100;

/** How long a caller waits for another program's lock before it is told. */
const defaultPatienceMs = 10_000;

export function connect(
  path: string,
  db: Database,
  clock: () => number,
  patienceMs = defaultPatienceMs,
): Connection {
  const file = watchFile(path);
  const statements = new Map<string, Statement<Row, Bindings[]>>();

  async function patiently<T>(attempt: () => T): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        file.check();
        const result = attempt();
        file.accessed();
        return result;
      } catch (error) {
        const { isBusy, plainly } = trouble();
        if (!isBusy(error) || performance.now() > deadline) throw plainly(error, path);
      }
      await Bun.sleep(5 + Math.random() * 20);
    }
  }

  return {
    path,
    db,
    clock,
    sql(text) {
      let statement = statements.get(text);
      if (!statement) {
        statement = db.prepare<Row, Bindings[]>(text);
        statements.set(text, statement);
      }
      return statement;
    },
    plain: patiently,
    read: (work) => patiently(() => db.transaction(work).deferred()),
    write: (work) => patiently(() => db.transaction(work).immediate()),
    close() {
      for (const statement of statements.values()) statement.finalize();
      db.close();
    },
  };
}

/** Marks a database file as queuectl's; "qctl" in ASCII. */
export const applicationId = 0x7163746c;

/** The schema that this program works with: as many steps as migrate.ts has. */
export const newestSchema = 1;

/**
 * `synchronous = full`: what is acknowledged survives a power cut; `fullfsync`, because on macOS a plain sync does not reach the disk
 * itself (elsewhere it changes nothing).
 */
export const durably = "pragma synchronous = full; pragma fullfsync = on; pragma cache_size = -8000";

/** Whether it is queuectl's, of this schema, ready for many at once, and has not moved elsewhere. */
export function isReady(db: Database): boolean {
  const { id, schema, mode, moved } = db
    .query<{ id: number; schema: number; mode: string; moved: number }, []>(`
      select
        application_id as id, user_version as schema, journal_mode as mode,
        exists (select 1 from sqlite_schema where name = 'moved') as moved
      from pragma_application_id, pragma_user_version, pragma_journal_mode
    `)
    .get()!;
  return id === applicationId && schema === newestSchema && mode === "wal" && moved === 0;
}
