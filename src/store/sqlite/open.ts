// Opens a SQLite database as a Store: creates it, brings its schema up to date, and refuses what is not ours.

import { Database } from "bun:sqlite";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { isSystemError, Refusal, reasonOf } from "../../domain/errors.ts";
import { fileMode } from "../../home.ts";
import type { Store } from "../store.ts";
import { busyTimeoutMs, type Connection, connect, durably, isReady } from "./connection.ts";
import { jobs } from "./jobs.ts";
import { settings } from "./settings.ts";

export interface SqliteOptions {
  readonly path: string;
  /** Milliseconds since 1970; the machine's own clock by default. */
  readonly clock?: () => number;
  /** How long to wait for another program's lock. */
  readonly patienceMs?: number;
}

/** The oldest SQLite with all that the statements here use (`->>` came with 3.38). */
const oldestVersion = "3.38.0";

export async function openSqlite({ path, clock = Date.now, patienceMs }: SqliteOptions): Promise<Store> {
  if (!databaseExists(path)) createFile(path);
  const db = openDatabase(path);
  const connection = connect(path, db, clock, patienceMs);
  try {
    if (await connection.plain(() => isReady(db))) db.run(durably);
    else await makeReady(connection);
  } catch (error) {
    connection.close();
    throw plainly(error, path);
  }
  return storeOf(connection);
}

async function makeReady(connection: Connection): Promise<void> {
  const { migrate } = await import("./migrate.ts");
  const { refuseMoved } = await import("./moved.ts");
  await migrate(connection);
  await refuseMoved(connection);
}

const plainly = (error: unknown, path: string) =>
  (require("./trouble.ts") as typeof import("./trouble.ts")).plainly(error, path);

/** A group that an enqueue does without is loaded when it is first asked for. */
function storeOf(connection: Connection): Store {
  const matching = once(() =>
    (require("./matching.ts") as typeof import("./matching.ts")).matching(connection),
  );
  const leases = once(() => (require("./leases.ts") as typeof import("./leases.ts")).leases(connection));
  const workers = once(() => (require("./workers.ts") as typeof import("./workers.ts")).workers(connection));
  const stats = once(() => (require("./stats.ts") as typeof import("./stats.ts")).stats(connection));
  const queues = once(() => (require("./queues.ts") as typeof import("./queues.ts")).queues(connection));
  const schedules = once(() =>
    (require("./schedules.ts") as typeof import("./schedules.ts")).schedules(connection),
  );
  const alerts = once(() => (require("./alerts.ts") as typeof import("./alerts.ts")).alerts(connection));
  return {
    // A process of this machine lives or does not.
    leaseMs: null,
    defaults: {},
    jobs: jobs(connection),
    get matching() {
      return matching();
    },
    get leases() {
      return leases();
    },
    output: null,
    get workers() {
      return workers();
    },
    settings: settings(connection),
    get stats() {
      return stats();
    },
    get queues() {
      return queues();
    },
    get schedules() {
      return schedules();
    },
    get alerts() {
      return alerts();
    },
    now: async () => connection.clock(),
    refuseMoved: () => (require("./moved.ts") as typeof import("./moved.ts")).refuseMoved(connection),
    watch: (onChange) => (require("./watch.ts") as typeof import("./watch.ts")).watch(connection, onChange),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/**
 * Refuses one that may not be read and written: SQLite would open it all the same, and leave files beside it that nobody can write
 * to afterwards.
 */
export function databaseExists(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    if (!isSystemError(error) || error.code === "ENOENT") return false;
    throw new Refusal(
      "unavailable",
      `the database ${path} cannot be used: ${reasonOf(error)}`,
      "check owner and mode of it and of its folders, and that the disk is not mounted read-only",
    );
  }
}

export function openDatabase(path: string): Database {
  try {
    const db = new Database(path, { create: true, readwrite: true, strict: true });
    db.run(`pragma busy_timeout = ${busyTimeoutMs}`);
    checkVersion();
    return db;
  } catch (error) {
    throw plainly(error, path);
  }
}

/** SQLite gives the files it adds (log, shared memory) the mode of the database. */
function createFile(path: string): void {
  try {
    closeSync(openSync(path, "a", fileMode));
  } catch (error) {
    throw new Refusal(
      "unavailable",
      `the database ${path} cannot be made: ${isSystemError(error) ? reasonOf(error) : error}`,
      "check that its folder exists and belongs to you",
    );
  }
}

/**
 * macOS has a SQLite of its own; anywhere else Bun brings one with it. Not asked of the file: whoever is just making it may hold
 * its lock for longer than SQLite waits.
 */
function checkVersion(): void {
  if (process.platform !== "darwin") return;
  using memory = new Database(":memory:");
  const version = memory.query<{ version: string }, []>("select sqlite_version() as version").get()!.version;
  if (Bun.semver.order(version, oldestVersion) >= 0) return;
  throw new Refusal(
    "unusable",
    `this machine's SQLite is ${version}; queuectl needs ${oldestVersion} or newer`,
    "use the queuectl binary for Linux, or a newer system",
  );
}
