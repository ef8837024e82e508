// A queue that stays open for as long as a server runs, although its database may be moved away, come back, or be replaced by
// another in the meantime.

import { statSync } from "node:fs";
import { Refusal } from "../domain/errors.ts";
import { databasePath } from "../home.ts";
import type { Store } from "../store/store.ts";
import type { Context } from "./context.ts";

export interface LastingStore extends AsyncDisposable {
  readonly now: () => Store;
  /** Opens the database anew when another file stands in its place; refused while there is none, and when the queue moved. */
  ready(): Promise<void>;
}

export async function openLastingStore(context: Context): Promise<LastingStore> {
  if (context.place.database !== undefined) return connected(await context.openStore("often"));
  const path = databasePath(context.home);
  let store = await context.openStore();
  let seen = identityOf(path);
  let opening: Promise<void> | undefined;

  async function reopen(): Promise<void> {
    const found = identityOf(path);
    const fresh = await context.openStore();
    await store[Symbol.asyncDispose]();
    store = fresh;
    seen = found;
  }

  return {
    now: () => store,
    async ready() {
      const found = identityOf(path);
      if (found === undefined) {
        throw new Refusal(
          "unavailable",
          `the database ${path} is gone`,
          "put it back; nothing has to be started anew",
        );
      }
      if (found === seen) return store.refuseMoved();
      opening ??= reopen().finally(() => {
        opening = undefined;
      });
      await opening;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** A server's clients find it again by themselves. */
const connected = (store: Store): LastingStore => ({
  now: () => store,
  // A server that does not answer this in a few seconds would let a whole page wait.
  ready: async () => {
    await store.refuseMoved();
  },
  [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
});

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.dev} ${stat.ino}`;
}
