// A copy of a SQLite database that others may be using, to be put away as a backup.

import { SQLiteError } from "bun:sqlite";
import { Refusal } from "../../domain/errors.ts";
import { type Connection, connect } from "./connection.ts";
import { checkIsOurs } from "./migrate.ts";
import { databaseExists, openDatabase } from "./open.ts";
import { plainly } from "./trouble.ts";

export interface Copy extends Disposable {
  /** Whether the copy knows of an attempt. */
  hasAttempt(seq: number, number: number): boolean;
}

/**
 * Copies the database as it is at one moment to an empty file, of any schema, without keeping anybody from working. The copy
 * knows no workers: whatever it calls running is found lost when it is used.
 */
export async function copyDatabase(from: string, to: string): Promise<Copy> {
  if (!databaseExists(from))
    throw new Refusal("unavailable", `there is no database ${from}`, "check QUEUECTL_HOME");
  const source = connect(from, openDatabase(from), Date.now);
  try {
    await source.read(() => checkIsOurs(source));
    await source.plain(() => vacuumInto(source, to));
  } finally {
    source.close();
  }
  const copy = connect(to, openDatabase(to), Date.now);
  await copy.write(() => copy.db.run("delete from workers; delete from worker_processes"));
  const attempt = copy.sql("select 1 from attempts where job_seq = $seq and number = $number");
  return {
    hasAttempt: (seq, number) => attempt.get({ seq, number }) !== null,
    [Symbol.dispose]: copy.close,
  };
}

function vacuumInto({ db }: Connection, to: string): void {
  try {
    db.run("vacuum into ?", [to]);
  } catch (error) {
    // Nothing else is written, so trouble with writing is trouble with the copy.
    const code = error instanceof SQLiteError ? (error.code ?? "") : "";
    throw /^SQLITE_(FULL|IOERR|CANTOPEN|READONLY)/.test(code) ? plainly(error, to) : error;
  }
}
