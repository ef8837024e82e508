// A PostgreSQL database of its own on the tests' server.

import { SQL } from "bun";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { noPostgres, postgresServer, type TempPostgres } from "./postgres-server.ts";
import { tempFolder } from "./temp-home.ts";
import { type StoreKind, tempStore } from "./temp-store.ts";

/** The suites turn the clock by days, and are not about leases that end meanwhile. */
const longMs = 1000 * 365 * 86_400_000;

export const postgres = kind("the PostgreSQL store", longMs);

/** A store whose leases end as they do for users. */
export const tempPostgresWithLeases = () => tempStore(kind("PostgreSQL with leases", undefined));

let pattern: Promise<TempPostgres> | undefined;

/** A database for a queue; where one can be left behind, with an empty queue in it, copied from that: a third of the time. */
async function newQueue(): Promise<TempPostgres> {
  const server = await postgresServer();
  if (!server.isOwn) return await server.newDatabase();
  const made = async () => {
    const database = await server.newDatabase();
    await using _store = await openPostgres({ url: database.url });
    return database;
  };
  pattern ??= made();
  const database = await server.newDatabase(await pattern);
  await using sql = new SQL(database.url, { max: 1 });
  await sql`
    with copied as (delete from queuectl.meta returning version)
    insert into queuectl.meta (version) select version from copied
  `;
  return database;
}

function kind(name: string, leaseMs: number | undefined): StoreKind {
  return {
    name,
    // Each of a life's steps asks the server many times.
    lives: 25,
    keepsOutput: true,
    ...(noPostgres !== undefined && { missing: noPostgres }),
    async makeDatabase() {
      const folder = tempFolder();
      const database = await newQueue();
      return {
        open: (clock) =>
          openPostgres({ url: database.url, clock, ...(leaseMs !== undefined && { leaseMs }) }),
        async damage(seq, column) {
          await using sql = new SQL(database.url, { max: 1 });
          await sql`update queuectl.jobs set ${sql(column)} = '{' where seq = ${seq}`;
        },
        environment: { QUEUECTL_HOME: folder.path, QUEUECTL_DATABASE_URL: database.url },
        async [Symbol.asyncDispose]() {
          await database[Symbol.asyncDispose]();
          folder[Symbol.dispose]();
        },
      };
    },
  };
}
