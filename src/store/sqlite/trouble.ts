// What SQLite says of trouble, in words a user can act on.

import { SQLiteError } from "bun:sqlite";
import { Refusal } from "../../domain/errors.ts";
import { hasMoved } from "../refusals.ts";

/** Whether another process held the lock, so that trying again is right. */
export const isBusy = (error: unknown) =>
  error instanceof SQLiteError &&
  (error.code?.startsWith("SQLITE_BUSY") || error.code?.startsWith("SQLITE_LOCKED"));

/** The refusal a database error means; any other error is handed back as it is. */
export function plainly(error: unknown, path: string): unknown {
  if (!(error instanceof SQLiteError)) return error;
  const code = error.code ?? "";
  // The only triggers there are (moved.ts).
  if (code === "SQLITE_CONSTRAINT_TRIGGER") return hasMoved(error.message);
  const known =
    table.find(([prefix]) => code.startsWith(prefix)) ?? (isOtherSchema(error) ? otherSchema : undefined);
  if (!known) return error;
  const [, kind, say, advice] = known;
  return new Refusal(kind, say(path), advice);
}

/** A table or column that every statement here relies on is missing, so somebody else has changed the database. */
const isOtherSchema = ({ code, message }: SQLiteError) =>
  code === "SQLITE_ERROR" && /^no such (table|column)/.test(message);

const otherSchema: Trouble = [
  "SQLITE_ERROR",
  "unusable",
  (path) => `the database ${path} has not the tables that queuectl made`,
  "stop all workers, keep a copy, and restore a backup",
];

type Trouble = [
  prefix: string,
  kind: "unavailable" | "unusable",
  say: (path: string) => string,
  advice: string,
];

const table: Trouble[] = [
  [
    "SQLITE_BUSY",
    "unavailable",
    (path) => `the database ${path} is locked by another program`,
    "try again, or close what holds it (a backup, a database browser; an enqueue of a million jobs is over by itself)",
  ],
  [
    "SQLITE_LOCKED",
    "unavailable",
    (path) => `the database ${path} is locked by another program`,
    "close what holds it, or try again",
  ],
  [
    // What readers and writers share did not fit.
    "SQLITE_IOERR_SHMSIZE",
    "unavailable",
    (path) => `the disk that holds ${path} is full`,
    "make room, or raise what is allowed (quota, ulimit -f); nothing was changed",
  ],
  [
    "SQLITE_PROTOCOL",
    "unavailable",
    (path) => `the database ${path} cannot be locked`,
    "try again; if it lies across a network, put it on a local disk",
  ],
  [
    "SQLITE_NOMEM",
    "unavailable",
    (path) => `there is not enough memory for the database ${path}`,
    "try again when other programs need less",
  ],
  [
    "SQLITE_FULL",
    "unavailable",
    (path) => `the disk that holds ${path} is full`,
    "make room, or raise what is allowed (quota, ulimit -f); nothing was changed",
  ],
  [
    "SQLITE_READONLY",
    "unavailable",
    (path) => `the database ${path} cannot be written`,
    "check its owner, its mode and that the disk is not mounted read-only",
  ],
  [
    "SQLITE_CANTOPEN",
    "unavailable",
    (path) => `the database ${path} cannot be opened`,
    "check that its folder exists and belongs to you, and that more files may be opened (ulimit -n)",
  ],
  [
    "SQLITE_PERM",
    "unavailable",
    (path) => `the database ${path} may not be opened`,
    "check its owner and mode",
  ],
  [
    "SQLITE_IOERR",
    "unavailable",
    (path) => `the disk that holds ${path} answers with errors`,
    "check the disk; nothing was changed",
  ],
  [
    "SQLITE_NOTADB",
    "unusable",
    (path) => `${path} is not a SQLite database`,
    "move it away, or point QUEUECTL_HOME elsewhere",
  ],
  [
    "SQLITE_CORRUPT",
    "unusable",
    (path) => `the database ${path} is damaged`,
    "stop all workers, keep a copy, and restore a backup",
  ],
];
