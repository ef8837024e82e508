// A whole queue out of a SQLite database, and into one. Both hold the database's write lock from beginning to end: a program that
// dies in between leaves everything as it was.

import { Refusal } from "../../domain/errors.ts";
import {
  type Arrival,
  type Arrive,
  type Depart,
  type Departure,
  type MovedRow,
  type MovedTable,
  movedTables,
  type Numbering,
  type Tally,
} from "../transfer.ts";
import { type Connection, connect } from "./connection.ts";
import { migrate } from "./migrate.ts";
import { markMoved, refuseMoved, unmarkMoved } from "./moved.ts";
import { databaseExists, openDatabase, openSqlite } from "./open.ts";
import { plainly } from "./trouble.ts";
import { workers } from "./workers.ts";

/** Rows at a time: a few megabytes at most for ordinary commands. */
const batch = 2000;

export const departSqlite =
  (path: string): Depart =>
  (work) =>
    inOneTransaction(path, async (connection) => {
      await refuseMoved(connection);
      return work(departure(connection));
    });

export const arriveSqlite =
  (path: string): Arrive =>
  async (work) => {
    if (!databaseExists(path)) await (await openSqlite({ path }))[Symbol.asyncDispose]();
    return inOneTransaction(path, (connection) => work(arrival(connection)));
  };

/** Opens a queue again that had moved. Returns where to, or undefined when it had not. */
export const undoMoveSqlite = (path: string): Promise<string | undefined> => opened(path, unmarkMoved);

const inOneTransaction = <T>(path: string, work: (connection: Connection) => Promise<T>): Promise<T> =>
  opened(path, async (connection) => {
    const { db, plain } = connection;
    await migrate(connection);
    await plain(() => db.run("begin immediate"));
    try {
      const result = await work(connection);
      db.run("commit");
      return result;
    } catch (error) {
      if (db.inTransaction) db.run("rollback");
      throw error;
    }
  });

async function opened<T>(path: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  if (!databaseExists(path))
    throw new Refusal("unavailable", `there is no database ${path}`, "check QUEUECTL_HOME");
  const connection = connect(path, openDatabase(path), Date.now);
  try {
    return await work(connection);
  } catch (error) {
    throw plainly(error, path);
  } finally {
    connection.close();
  }
}

function departure(connection: Connection): Departure {
  const { path, db } = connection;
  return {
    place: path,
    processes: workers(connection).processes,
    numbering: async () => ({
      jobs: newest(connection, "jobs"),
      worker_processes: newest(connection, "worker_processes"),
    }),
    tally: async () => tally(connection),
    async *rows({ name, key, columns }) {
      using rows = db.prepare<MovedRow, []>(`select ${columns} from ${name} order by ${key}`);
      let gathered: MovedRow[] = [];
      for (const row of rows.iterate()) {
        gathered.push(row);
        if (gathered.length < batch) continue;
        yield gathered;
        gathered = [];
      }
      if (gathered.length > 0) yield gathered;
    },
    output: null,
    mark: async (to) => markMoved(connection, to),
  };
}

function arrival(connection: Connection): Arrival {
  const { path, sql } = connection;
  return {
    place: path,
    tally: async () => tally(connection),
    async write({ name, columns }: MovedTable, rows) {
      const insert = sql(
        `insert into ${name} (${columns}) values (${columns.map((column) => `$${column}`)})`,
      );
      for (const row of rows) insert.run(row as Record<string, string | number | null>);
    },
    async goOnFrom(numbering: Numbering) {
      for (const [name, seq] of Object.entries(numbering)) {
        sql("delete from sqlite_sequence where name = $name").run({ name });
        sql("insert into sqlite_sequence (name, seq) values ($name, $seq)").run({ name, seq });
      }
    },
    addOutput: null,
  };
}

const newest = ({ sql }: Connection, name: string): number =>
  sql("select seq from sqlite_sequence where name = $name").get({ name })?.seq ?? 0;

function tally({ sql }: Connection): Tally {
  const found: Record<string, number> = {};
  for (const { name } of movedTables) found[name] = sql(`select count(*) as n from ${name}`).get().n;
  for (const { state, n } of sql("select state, count(*) as n from jobs group by state").all())
    found[`${state} jobs`] = n;
  return found;
}
