// Which queue a program means: where it is, in words that the command line would understand too.

import { misuse } from "../domain/errors.ts";
import { type Place, placeOf } from "../store/open.ts";
import { checkOptions, shownValue } from "./checks.ts";

/**
 * Which queue to open. With nothing given it is the one that the command line would use (`QUEUECTL_HOME`,
 * `QUEUECTL_DATABASE_URL`); one of the two given is that one, whatever the environment says of the other.
 */
export interface QueuePlace {
  /** The home folder of a queue on SQLite, made where it is missing; with `database`, the folder for what else is kept. */
  readonly home?: string | undefined;
  /** A PostgreSQL URL. */
  readonly database?: string | undefined;
  /** Where PostgreSQL is listened to when a pooler stands at `database`; `off` for nowhere. */
  readonly listen?: string | undefined;
}

/** An empty text, or a misspelt name, would mean the user's own queue, and comes of a slip rather than of that wish. */
export function checkPlace(place: QueuePlace): void {
  const names = ["home", "database", "listen"] as const;
  checkOptions(place, names);
  for (const name of names) {
    const value: unknown = place[name];
    if (value !== undefined && (typeof value !== "string" || value === ""))
      throw misuse(
        `${name} cannot be ${shownValue(value)}`,
        "leave it out for what the command line would use",
      );
  }
}

/** The place as `openStore` takes it; what is not said comes from the environment. */
export function whereOf(
  { home, database, listen }: QueuePlace,
  environment: Readonly<Record<string, string>>,
): Place {
  const byDefault = placeOf({ ...environment, ...(home !== undefined && { QUEUECTL_HOME: home }) });
  if (home === undefined && database === undefined)
    return { ...byDefault, ...(listen !== undefined && { listen }) };
  return { home: byDefault.home, database, listen };
}

/** What starts another process on the same queue; an empty one is none. */
export const variablesOf = ({ home, database = "", listen = "" }: Place) => ({
  QUEUECTL_HOME: home,
  QUEUECTL_DATABASE_URL: database,
  QUEUECTL_LISTEN_URL: listen,
});
