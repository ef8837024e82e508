// Whether a database is still the one that was opened. SQLite goes on without a word in files that were deleted or replaced, and
// what is written there is lost.

import { statSync } from "node:fs";
import { Refusal } from "../../domain/errors.ts";

export interface FileWatch {
  /** Refuses when another file, or none, has the name now. */
  check(): void;
  /** Says that the database was read or written: only from then on its write-ahead log stays while it is open. */
  accessed(): void;
}

/** To be called with the file just opened. */
export function watchFile(path: string): FileWatch {
  const logPath = `${path}-wal`;
  const database = identityOf(path);
  let log: string | undefined;
  return {
    check() {
      const isSame =
        same(database, identityOf(path)) && (log === undefined || same(log, identityOf(logPath)));
      if (isSame) return;
      throw new Refusal(
        "unusable",
        `the database ${path} was deleted or replaced while it was in use`,
        "put it back; or else stop what still uses the old one",
      );
    },
    accessed() {
      log ??= identityOf(logPath);
    },
  };
}

/** Not to be told, as in a folder that may not be entered: no reason to stop. */
const unknown = "unknown";

const same = (before: string | undefined, now: string | undefined) =>
  before === now || before === unknown || now === unknown;

function identityOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat && `${stat.dev} ${stat.ino}`;
  } catch {
    return unknown;
  }
}
