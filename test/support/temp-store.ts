// A store with a database of its own and a clock that a test can turn, for whichever kind of store a suite is about.

import type { Store } from "../../src/store/store.ts";

/** What the suites have to know of a kind of store; all else they do through the Store itself. */
export interface StoreKind {
  /** As it stands in the names of tests: `the SQLite store`. */
  readonly name: string;
  /** How many random lives of a queue an ordinary run of the suite walks through. */
  readonly lives?: number;
  /** Whether what jobs print lies in it; in files beside it otherwise. */
  readonly keepsOutput: boolean;
  /** Why there is none here, and how to get it; the suite is skipped then. */
  readonly missing?: string | undefined;
  makeDatabase(): Promise<TempDatabase>;
}

/** Columns whose texts have a form that the database does not see to. */
export const damageable = ["tags", "env", "rules"] as const;

export type Damageable = (typeof damageable)[number];

/** A place of its own, in which nothing was opened yet. */
interface TempDatabase extends AsyncDisposable {
  /** Opens it as another process would; without a clock, by the clock that a process goes by. Whoever opens it closes it. */
  open(clock?: () => number): Promise<Store>;
  /** Leaves in a column of a job what nobody can read. */
  damage(seq: number, column: Damageable): Promise<void>;
  /** What a process of its own needs in its environment to open this database. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface TempStore extends AsyncDisposable {
  readonly store: Store;
  /** A second connection to the same database, as another process has it. */
  another(): Promise<Store>;
  /** Leaves in a column of a job what nobody can read. */
  damage(seq: number, column: Damageable): Promise<void>;
  /** Milliseconds since 1970; moves only when told. */
  readonly clock: { now: number };
  /** What a process of its own needs in its environment to open the same database; it goes by its own clock. */
  readonly environment: Readonly<Record<string, string>>;
}

export type MakeStore = () => Promise<TempStore>;

export async function tempStore(kind: StoreKind): Promise<TempStore> {
  const database = await kind.makeDatabase();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const opened: Store[] = [];
  const another = async () => {
    const store = await database.open(() => clock.now);
    opened.push(store);
    return store;
  };
  return {
    store: await another(),
    another,
    damage: database.damage,
    clock,
    environment: database.environment,
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
