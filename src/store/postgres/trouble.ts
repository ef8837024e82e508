// What PostgreSQL, and the way to it, say of trouble, in words a user can act on.

import { SQL } from "bun";
import { misuse, Refusal } from "../../domain/errors.ts";
import { hasMoved } from "../refusals.ts";
import { movedState } from "./moved.ts";

/** Another transaction was in the way, and this one left nothing behind: trying again is right. */
export const isContention = (error: unknown) => contention.has(stateOf(error) ?? "") || isOutdated(error);

/** A newer version has added a column to a table: the statement is made anew the next time. */
const isOutdated = (error: unknown) => isSqlError(error) && error.routine === "RevalidateCachedQuery";

/** serialization_failure, deadlock_detected, lock_not_available */
const contention: ReadonlySet<string> = new Set(["40001", "40P01", "55P03"]);

/** The connection broke while something was asked over it. */
export const isCut = (error: unknown) =>
  (isSqlError(error) && /CONNECTION_CLOSED|IDLE_TIMEOUT/.test(error.code)) ||
  // A session is ended, or was while it idled; the word of it may come after a commit and before its answer.
  ["57P01", "57P02", "57P05"].includes(stateOf(error) ?? "");

/** Nobody knows whether what was asked has been done, or will be: the connection broke before the answer came. */
export function isInDoubt(error: unknown): boolean {
  if (error instanceof Refusal) return isInDoubt(error.cause);
  return error instanceof Unanswered || isCut(error) || (stateOf(error)?.startsWith("08") ?? false);
}

/** The server cannot be asked now, and may be later. */
export const isAway = (error: unknown) =>
  error instanceof Unanswered || (isSqlError(error) && /^(08|53|57P)/.test(stateOf(error) ?? "08"));

/** The server has no connection left. */
export const isCrowded = (error: unknown) => stateOf(error) === "53300";

/** The statement reached the server when nobody waited for its answer any more, and was not run. */
export const isLate = (error: unknown) => stateOf(error) === lateState;

/** Another connection may lead to a server that is better: the primary, the one with the tables, one that answers. */
export const isStale = (error: unknown) => {
  if (error instanceof Unanswered) return true;
  if (error instanceof Refusal) return error.kind === "unusable";
  const state = stateOf(error);
  if (state === undefined) return isSqlError(error);
  return stale.some((prefix) => state.startsWith(prefix));
};

/** What `queuectl.exchange` raises by itself: `src/store/postgres/migrations`. */
const otherQueueState = "QC001";
const lateState = "QC002";

const stale = ["08", "25006", "28", "3D", "3F", "42P01", "42883", "53300", "57P", otherQueueState];

export const otherQueue = (where: string) =>
  new Refusal(
    "unusable",
    `${where} holds another queue than before, or a copy of it that was restored`,
    "bring the right database back, or start this program anew to use the one that is there",
  );

/** It hands each transaction to another connection, and what was prepared in one would be run as something else in the next. */
export const throughPooler = (where: string) =>
  new Refusal(
    "unusable",
    `${where} is a pooler, and queuectl was not told`,
    "set QUEUECTL_LISTEN_URL to the server's own address, or to off",
  );

/** A unique value is taken: the name of the constraint, or undefined for any other error. */
export const takenBy = (error: unknown): string | undefined =>
  isSqlError(error) && stateOf(error) === "23505" ? (error.constraint ?? "") : undefined;

/** A job of this id is there. */
export const isIdTaken = (error: unknown) => takenBy(error) === "jobs_id_key";

/** The tables are not there. */
export const isMissing = (error: unknown) => ["42P01", "3F000", "42883"].includes(stateOf(error) ?? "");

/** The server took a question and was silent for so long that the connection has to be given up. */
export class Unanswered extends Error {
  override name = "Unanswered";
}

type SqlError = SQL.PostgresError;

const isSqlError = (error: unknown): error is SqlError => error instanceof SQL.PostgresError;

/** The five characters of an SQLSTATE: postgresql.org/docs/current/errcodes-appendix.html */
const stateOf = (error: unknown): string | undefined =>
  isSqlError(error) && typeof error.errno === "string" ? error.errno : undefined;

/**
 * The refusal a database error means, with that error as its cause; any other error is handed back as it is. `where` names the
 * database without its password.
 */
export function plainly(error: unknown, where: string): unknown {
  const refusal = refusalOf(error, where);
  if (refusal) refusal.cause = error;
  return refusal ?? error;
}

function refusalOf(error: unknown, where: string): Refusal | undefined {
  if (error instanceof Unanswered) {
    return new Refusal(
      "unavailable",
      `${where} does not answer`,
      "check the network and the server, then look what was done",
    );
  }
  if (isTlsError(error)) return noTls(error.message, where);
  if (!isSqlError(error)) return undefined;
  const state = stateOf(error);
  if (state === undefined) return unreachable(error, where);
  if (state === movedState) return hasMoved(error.message);
  if (state === otherQueueState) return otherQueue(where);
  // What a URL says besides is a setting of the session, which the server refuses before there is one.
  if (error.severity === "FATAL" && badSetting.has(state))
    return misuse(`${where}: ${error.message}`, "correct what stands behind the ? in the URL");
  if (state === "08P01" && /startup parameter/.test(error.message)) return throughPooler(where);
  // PgBouncer has one SQLSTATE for whatever it cannot do.
  if (state === "08P01" && noDatabase.test(error.message))
    return new Refusal("unavailable", `${where}: ${error.message}`, makeDatabase);
  // Whatever a user asks for by such a text, there is none: nothing with a NUL byte is ever stored.
  if (state === "22021") return misuse("a text contains a NUL byte", "leave it out");
  const known = table.find(([prefix]) => state.startsWith(prefix));
  if (!known) return undefined;
  const [, kind, say, advice] = known;
  return new Refusal(kind, say(where, error.message), advice);
}

const noDatabase = /^(no such database|database ".*" does not exist)/;

const makeDatabase = "make it with createdb, or correct the URL";

/** undefined_object, invalid_parameter_value, cant_change_runtime_param */
const badSetting: ReadonlySet<string> = new Set(["42704", "22023", "55P02"]);

/** What the client itself finds wrong with a certificate, the server's or ours, comes under the names that OpenSSL has for it. */
const isTlsError = (error: unknown): error is Error =>
  error instanceof Error &&
  "code" in error &&
  /^ERR_(TLS|BORINGSSL)|CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY|DECODE)/.test(String(error.code));

const noTls = (message: string, where: string) =>
  new Refusal(
    "unavailable",
    `${where} cannot be reached by TLS: ${message}`,
    "check sslmode, sslrootcert, sslcert and sslkey in the URL, and the server's certificate",
  );

function unreachable({ code, message }: SqlError, where: string): Refusal {
  if (/TLS|SSL/.test(code)) return noTls(message, where);
  const [, say, advice] = client.find(([pattern]) => pattern.test(code))!;
  return new Refusal("unavailable", say(where, message), advice);
}

/** What Bun's client finds wrong by itself, by its code. */
const client: readonly (readonly [
  code: RegExp,
  say: (where: string, message: string) => string,
  advice: string,
])[] = [
  [
    /CONNECTION_CLOSED|IDLE_TIMEOUT/,
    (where) => `the connection to ${where} broke`,
    "check that the server runs, then look what was done",
  ],
  [
    /CONNECTION_TIMEOUT/,
    (where) => `${where} does not answer`,
    "check the network and the server, and host and port in the URL",
  ],
  [
    /CONNECTION/,
    (where) => `${where} cannot be reached`,
    "check that the server runs, and host and port in the URL",
  ],
  [
    /AUTHENTICATION|PASSWORD|SASL/,
    (where, message) => `${where} does not let us in: ${message}`,
    "check user and password in the URL",
  ],
  [/./, (where, message) => `${where} cannot be used: ${message}`, "check that it is a PostgreSQL server"],
];

type Trouble = [
  prefix: string,
  kind: "unavailable" | "unusable",
  say: (where: string, message: string) => string,
  advice: string,
];

const table: Trouble[] = [
  [
    "28",
    "unavailable",
    (where, message) => `${where} does not let us in: ${message}`,
    "check user, password and sslmode in the URL, and the server's pg_hba.conf",
  ],
  ["3D000", "unavailable", (where, message) => `${where}: ${message}`, makeDatabase],
  [
    "53300",
    "unavailable",
    (where, message) => `${where} has no connection left: ${message}`,
    "raise max_connections, the limit of the role or of the database, or put PgBouncer in front of it",
  ],
  [
    "53",
    "unavailable",
    (where, message) => `${where} is short of something: ${message}`,
    "make room there; nothing was changed",
  ],
  ["55000", "unavailable", (where) => `${where} misses output that it had`, "it is sent once more"],
  ["57P03", "unavailable", (where, message) => `${where}: ${message}`, "try again when it is up"],
  ["57P", "unavailable", (where) => `${where} was shut down`, "try again when it is up"],
  [
    "57014",
    "unavailable",
    (where) => `${where} took too long and gave up; nothing was changed`,
    "look what else keeps it busy, then try again",
  ],
  [
    "25006",
    "unavailable",
    (where) => `${where} is read-only, as a standby is`,
    "point the URL to the primary",
  ],
  ["25P0", "unavailable", (where, message) => `${where}: ${message}`, "try again"],
  ["40", "unavailable", (where) => `${where} is busy with the same jobs`, "try again"],
  [
    "55P03",
    "unavailable",
    (where) => `${where} holds a lock that is in the way`,
    "see in pg_locks who has it (maintenance, a console), then try again; nothing was changed",
  ],
  [
    "08",
    "unavailable",
    (where, message) => `the connection to ${where} broke: ${message}`,
    "check that the server runs, then look what was done",
  ],
  [
    "22P05",
    "unusable",
    (where, message) => `${where} cannot keep this text: ${message}`,
    "use a database that can, made by createdb --encoding UTF8 --template template0",
  ],
  [
    "42501",
    "unusable",
    (where, message) => `${where}: ${message}`,
    "grant the role what docs/postgres.md lists under Rights",
  ],
  ...["42P01", "42703", "42704", "42P10"].map(
    (code): Trouble => [
      code,
      "unusable",
      (where) => `${where} has not the tables that queuectl made`,
      "point the URL to the right server, or stop all workers and restore a backup",
    ],
  ),
  [
    "42883",
    "unusable",
    (where) => `${where} has not the functions that queuectl made`,
    "point the URL to the right server, or stop all workers and restore a backup",
  ],
  [
    "3F000",
    "unusable",
    (where) => `${where} has not the tables that queuectl made`,
    "point the URL to the right server, or stop all workers and restore a backup",
  ],
  [
    "XX",
    "unusable",
    (where, message) => `${where} is damaged: ${message}`,
    "point the URL to the right server, or stop all workers and restore a backup",
  ],
  ["58", "unavailable", (where, message) => `${where}: ${message}`, "check the server's disk"],
];
