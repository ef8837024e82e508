// The PostgreSQL server that tests use: the one named by QUEUECTL_TEST_DATABASE_URL or DATABASE_URL, else one of our own, started by
// the first test that asks and used by all after it.

import { SQL } from "bun";
import { postgresPrograms, startPostgres } from "./own-postgres.ts";

export interface PostgresServer {
  /** Whether it is removed, with all that was made in it, when the tests end. */
  readonly isOwn: boolean;
  /** Makes an empty database with a name that no other has, or a copy of one that nobody has open. */
  newDatabase(copied?: TempPostgres): Promise<TempPostgres>;
}

export interface TempPostgres extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  /** Ends all its sessions, as `pg_terminate_backend` does. Returns how many. */
  terminateBackends(): Promise<number>;
  /** Lets new sessions read only, or write again, and ends those that are there: as after a failover. */
  setReadOnly(readOnly: boolean): Promise<void>;
}

const given = [process.env.QUEUECTL_TEST_DATABASE_URL, process.env.DATABASE_URL].find((url) =>
  /^postgres(ql)?:/.test(url ?? ""),
);
const isMissing = given === undefined && postgresPrograms() === undefined;

/** Why there is no server here; undefined where there is, and under CI, where there must be. */
export const noPostgres: string | undefined =
  isMissing && process.env.CI !== "true" ? "no PostgreSQL server (apt-get install postgresql)" : undefined;

if (noPostgres) console.warn(`skipped what needs it: ${noPostgres}`);
if (isMissing && !noPostgres) throw new Error("no PostgreSQL server: apt-get install postgresql");

let shared: Promise<PostgresServer> | undefined;

/** The server for all tests. Nobody may stop it: a test that wants to starts its own (`startPostgres`). */
export function postgresServer(): Promise<PostgresServer> {
  shared ??= given === undefined ? startPostgres().then(({ url }) => serverAt(url, true)) : checked(given);
  return shared;
}

async function checked(url: string): Promise<PostgresServer> {
  try {
    await administer(url, (sql) => sql`select 1`);
  } catch (error) {
    throw new Error(`the server of QUEUECTL_TEST_DATABASE_URL or DATABASE_URL cannot be used: ${error}`);
  }
  return serverAt(url);
}

let databases = 0;

/** The server that an administrator, or whoever may make databases, reaches by this URL. */
export const serverAt = (url: string, isOwn = false): PostgresServer => ({
  isOwn,
  async newDatabase(copied) {
    const name = `queuectl_test_${process.pid}_${++databases}_${Date.now().toString(36)}`;
    const source = copied ? `${copied.name} strategy file_copy` : "template0";
    await administer(url, (sql) => sql.unsafe(`create database ${name} template ${source} encoding 'UTF8'`));
    const terminateBackends = () =>
      administer(url, async (sql) => {
        const [{ ended }] = await sql`
          select count(pg_terminate_backend(pid))::int as ended from pg_stat_activity where datname = ${name}`;
        return ended as number;
      });
    return {
      name,
      url: Object.assign(new URL(url), { pathname: name }).href,
      terminateBackends,
      async setReadOnly(readOnly) {
        const alter = `alter database ${name} set default_transaction_read_only = ${readOnly}`;
        await administer(url, (sql) => sql.unsafe(alter));
        await terminateBackends();
      },
      async [Symbol.asyncDispose]() {
        await administer(url, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
      },
    };
  },
});

/** By a connection of its own (4 ms): one that is kept would not outlive a restart. */
async function administer<T>(url: string, ask: (sql: SQL) => PromiseLike<T>): Promise<T> {
  const sql = new SQL(url, { max: 1 });
  try {
    return await ask(sql);
  } finally {
    await sql.close();
  }
}
