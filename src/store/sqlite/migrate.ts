// The schema and its history: one file a step, each in a transaction of its own.

import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { isSystemError, Refusal, unavailable } from "../../domain/errors.ts";
import { jobLogsFolder, syncFoldersOf } from "../../home.ts";
import { applicationId, type Connection, durably } from "./connection.ts";
import initial from "./migrations/001_initial.sql" with { type: "text" };

/** Step n leads from schema n to schema n + 1. */
export const schemaSteps: readonly string[] = [initial];

/** Brings the schema up to date, and refuses a database that is newer than this program or not queuectl's. */
export async function migrate(connection: Connection, steps = schemaSteps): Promise<void> {
  const { db, path } = connection;
  await connection.plain(() => setUp(connection));
  let version = await connection.read(() => check(connection, steps.length));
  while (version < steps.length) {
    version = await connection.write(() => {
      const current = check(connection, steps.length);
      if (current >= steps.length) return current;
      // Whoever made the file may not have come to this yet, and whoever finds a schema relies on it.
      if (current === 0) {
        refuseBesideLogs(path);
        syncFoldersOf(path);
      }
      db.run(steps[current]!);
      db.run(`pragma application_id = ${applicationId}`);
      db.run(`pragma user_version = ${current + 1}`);
      return current + 1;
    });
  }
}

/** Write-ahead logging lets readers and one writer work at once; setting it needs a lock, so a database that has it is not asked again. */
function setUp({ db }: Connection): void {
  const mode = db.query<{ journal_mode: string }, []>("pragma journal_mode").get()!.journal_mode;
  if (mode !== "wal") {
    const { application_id } = db.query<{ application_id: number }, []>("pragma application_id").get()!;
    const empty = db.query<{ n: number }, []>("select count(*) as n from sqlite_schema").get()!.n === 0;
    if (empty || application_id === applicationId) db.run("pragma journal_mode = wal");
  }
  db.run(durably);
}

/** A new queue would give the numbers of jobs once more that have logs already. */
export function refuseBesideLogs(path: string): void {
  const folder = jobLogsFolder(dirname(path));
  if (!holdsFiles(folder)) return;
  throw new Refusal(
    "unusable",
    `the database ${path} is empty or was missing, and the logs of its jobs are there`,
    `restore a backup, or move ${folder} away to begin a new queue`,
  );
}

/** Whether there is a file below. */
function holdsFiles(folder: string): boolean {
  try {
    return readdirSync(folder, { withFileTypes: true }).some(
      (entry) => !entry.isDirectory() || holdsFiles(join(folder, entry.name)),
    );
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "ENOENT") return false;
    throw unavailable(error);
  }
}

function check(connection: Connection, newest: number): number {
  const { db, path } = connection;
  const version = db.query<{ user_version: number }, []>("pragma user_version").get()!.user_version;
  const isOurs = checkIsOurs(connection);
  if (version > newest) {
    throw new Refusal(
      "unusable",
      `the database ${path} has schema ${version}, this queuectl knows up to ${newest}`,
      "use the newer queuectl that made it",
    );
  }
  return isOurs ? version : 0;
}

/** Whether a database is queuectl's; false for an empty one. Refuses any other. */
export function checkIsOurs({ db, path }: Connection): boolean {
  const { application_id } = db.query<{ application_id: number }, []>("pragma application_id").get()!;
  if (application_id === applicationId) return true;
  const { user_version } = db.query<{ user_version: number }, []>("pragma user_version").get()!;
  const tables = db.query<{ n: number }, []>("select count(*) as n from sqlite_schema").get()!.n;
  if (tables === 0 && user_version === 0) return false;
  throw new Refusal(
    "unusable",
    `${path} is a SQLite database, but not one of queuectl's`,
    "move it away, or point QUEUECTL_HOME elsewhere",
  );
}
