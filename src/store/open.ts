// From where a queue lies to the Store that keeps it; loads only the database asked for.

import { databasePath } from "../home.ts";
import type { Store } from "./store.ts";

/** Opens the queue of a home folder. */
export async function openStore(home: string): Promise<Store> {
  const { openSqlite } = await import("./sqlite/open.ts");
  return openSqlite({ path: databasePath(home) });
}
