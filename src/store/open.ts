// From where a queue lies to the Store that keeps it; loads only the database asked for.

import { databasePath, homeOf } from "../home.ts";
import type { Store } from "./store.ts";

export interface Place {
  readonly home: string;
  /** A PostgreSQL URL; the file in the home folder without one. */
  readonly database?: string | undefined;
  /** Where PostgreSQL is listened to when a pooler stands at `database`; `off` for nowhere. */
  readonly listen?: string | undefined;
}

/** What the environment says of the place: `QUEUECTL_HOME`, `QUEUECTL_DATABASE_URL` and `QUEUECTL_LISTEN_URL`. */
export const placeOf = (environment: Readonly<Record<string, string | undefined>>): Place => ({
  home: homeOf(environment),
  database: environment.QUEUECTL_DATABASE_URL || undefined,
  listen: environment.QUEUECTL_LISTEN_URL || undefined,
});

/** `brief` for a few questions, as a command asks them; otherwise the process asks the same again and again. */
export async function openStore({ home, database, listen }: Place, { brief = false } = {}): Promise<Store> {
  if (database !== undefined) {
    const { openPostgres } = await import("./postgres/open.ts");
    return openPostgres({ url: database, listenUrl: listen, brief });
  }
  const { openSqlite } = await import("./sqlite/open.ts");
  return openSqlite({ path: databasePath(home) });
}
