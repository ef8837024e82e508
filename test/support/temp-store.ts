// A store with a database of its own and a clock that a test can turn.

import { databasePath } from "../../src/home.ts";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { tempFolder } from "./temp-home.ts";

export interface TempStore extends AsyncDisposable {
  readonly store: Store;
  /** A second connection to the same database, as another process has it. */
  another(): Promise<Store>;
  /** Milliseconds since 1970; moves only when told. */
  readonly clock: { now: number };
  /** What a process of its own needs in its environment to open the same database. */
  readonly environment: Readonly<Record<string, string>>;
}

export type MakeStore = () => Promise<TempStore>;

export async function tempSqlite(): Promise<TempStore> {
  const folder = tempFolder();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const path = databasePath(folder.path);
  const opened: Store[] = [];
  const another = async () => {
    const store = await openSqlite({ path, clock: () => clock.now });
    opened.push(store);
    return store;
  };
  return {
    store: await another(),
    another,
    clock,
    environment: { QUEUECTL_HOME: folder.path },
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}
