// A store with a database of its own and a clock that a test can turn.

import { join } from "node:path";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import type { Store } from "../../src/store/store.ts";
import { tempFolder } from "./temp-home.ts";

export interface TempStore extends AsyncDisposable {
  readonly store: Store;
  /** A second connection to the same database, as another process has it. */
  another(): Promise<Store>;
  /** Milliseconds since 1970; moves only when told. */
  readonly clock: { now: number };
}

export async function tempSqlite(): Promise<TempStore> {
  const folder = tempFolder();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const path = join(folder.path, "queue.db");
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
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}
