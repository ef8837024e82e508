// A whole queue out of a PostgreSQL database, and into one. Each is one transaction that keeps others from writing: a program that
// dies in between, or a connection that breaks, leaves everything as it was.

import type { SQL } from "bun";
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
import { readAddress } from "./address.ts";
import { type Connection, connect } from "./connection.ts";
import { migrate } from "./migrate.ts";
import { markMoved, refuseMoved, unmarkMoved } from "./moved.ts";
import { descriptorOf, streamOf } from "./output.ts";
import type { Row } from "./rows.ts";
import { processesOf } from "./workers.ts";

export interface PostgresPlace {
  readonly url: string;
  /** Whether a pooler stands there. */
  readonly pooled: boolean;
}

/** Rows at a time: a few megabytes at most for ordinary commands. */
const batch = 2000;

/** Pieces of output at a time; each may have a megabyte. */
const outputBatch = 50;

export const departPostgres =
  (place: PostgresPlace): Depart =>
  (work) =>
    inOneTransaction(place, async (tx, shown) => {
      await refuseMoved(tx);
      return work(departure(tx, shown));
    });

export const arrivePostgres =
  (place: PostgresPlace): Arrive =>
  (work) =>
    inOneTransaction(place, async (tx, shown) => {
      const result = await work(arrival(tx, shown));
      // Nobody has looked at the new tables yet, and plans depend on it.
      for (const { name } of movedTables) await tx.unsafe(`analyze queuectl.${name}`);
      return result;
    });

/** Opens a queue again that had moved. Returns where to, or undefined when it had not. */
export const undoMovePostgres = (place: PostgresPlace): Promise<string | undefined> =>
  opened(place, (connection) => connection.write(unmarkMoved));

const inOneTransaction = <T>(
  place: PostgresPlace,
  work: (tx: SQL, shown: string) => Promise<T>,
): Promise<T> =>
  opened(place, async (connection) => {
    await migrate(connection);
    return connection.write(async (tx) => {
      await tx`set local statement_timeout = '10min'`;
      await tx`set local idle_in_transaction_session_timeout = '10min'`;
      const tables = [
        ...movedTables.map(({ name }) => name),
        "count_changes",
        "run_changes",
        "workers",
        "worker_processes",
      ];
      await tx.unsafe(`lock table ${tables.map((name) => `queuectl.${name}`)} in exclusive mode`);
      return work(tx, connection.shown);
    }, "late");
  });

async function opened<T>({ url, pooled }: PostgresPlace, work: (connection: Connection) => Promise<T>) {
  const connection = connect({ address: readAddress(url), at: () => null, pooled });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

function departure(tx: SQL, place: string): Departure {
  return {
    place,
    processes: () => processesOf(tx, { leased: true }),
    numbering: async () => ({
      jobs: await newest(tx, "jobs", "seq"),
      worker_processes: await newest(tx, "worker_processes", "process_id"),
    }),
    tally: () => tally(tx),
    async *rows(table) {
      const { key, columns, inParts } = table;
      const values = columns.slice(key.length);
      const wanted = inParts
        ? `select ${[...key, ...values.map((value) => `sum(${value})::bigint as ${value}`)]} from ${allOf(table)} group by ${key}`
        : `select ${columns} from ${allOf(table)}`;
      const asJson = `select row_to_json(wanted) as row from (${wanted} order by ${key}) as wanted`;
      for await (const rows of fetched(tx, asJson, batch)) yield rows.map(({ row }): MovedRow => row);
    },
    async *output() {
      const pieces =
        "select job_seq, attempt, stream, start, bytes, left_out from queuectl.output order by job_seq, attempt, stream, start";
      for await (const rows of fetched(tx, pieces, outputBatch)) {
        yield rows.map(({ job_seq, attempt, stream, start, bytes, left_out }) => ({
          job_seq: Number(job_seq),
          attempt,
          stream: streamOf(stream),
          start: Number(start),
          bytes,
          left_out: Number(left_out),
        }));
      }
    },
    mark: (to) => markMoved(tx, to),
  };
}

/** The rows of a question, so many at a time. */
async function* fetched(tx: SQL, question: string, rowsAtOnce: number): AsyncIterable<Row[]> {
  await tx.unsafe(`declare moving no scroll cursor for ${question}`);
  for (;;) {
    const rows: Row[] = await tx.unsafe(`fetch ${rowsAtOnce} from moving`);
    if (rows.length === 0) break;
    yield rows;
  }
  await tx`close moving`;
}

function arrival(tx: SQL, place: string): Arrival {
  return {
    place,
    tally: () => tally(tx),
    async write({ name, columns }, rows) {
      // As plain JSON in a text it goes in faster than as jsonb, and as fast as column by column.
      await tx.unsafe(
        `insert into queuectl.${name} (${columns})
        select ${columns} from json_populate_recordset(null::queuectl.${name}, $1::text::json)`,
        [JSON.stringify(rows)],
      );
    },
    async goOnFrom({ jobs, worker_processes }: Numbering) {
      await continueFrom(tx, "jobs", "seq", jobs);
      await continueFrom(tx, "worker_processes", "process_id", worker_processes);
    },
    async addOutput(pieces) {
      const coded = pieces.map(({ bytes, stream, ...piece }) => ({
        ...piece,
        stream: descriptorOf(stream),
        bytes: Buffer.from(bytes).toString("base64"),
      }));
      await tx`
        insert into queuectl.output (job_seq, attempt, stream, start, bytes, left_out)
        select job_seq, attempt, stream, start, decode(bytes, 'base64'), left_out
        from json_to_recordset(${JSON.stringify(coded)}::text::json)
          as piece(job_seq bigint, attempt integer, stream smallint, start bigint, bytes text, left_out bigint)
      `;
    },
  };
}

/** Where all of a table's rows are: some of what is counted is not in the table itself. */
const allOf = ({ name, inParts }: MovedTable) => `queuectl.${inParts ? "all_" : ""}${name}`;

async function newest(tx: SQL, table: string, column: string): Promise<number> {
  const [{ newest }] = await tx.unsafe(
    `select case when is_called then last_value else 0 end as newest from queuectl.${table}_${column}_seq`,
  );
  return Number(newest);
}

const continueFrom = (tx: SQL, table: string, column: string, newest: number) =>
  tx`
    select setval(pg_get_serial_sequence(${`queuectl.${table}`}, ${column}), ${Math.max(newest, 1)}, ${newest > 0})
  `;

async function tally(tx: SQL): Promise<Tally> {
  const found: Record<string, number> = {};
  for (const table of movedTables) {
    const counted = table.inParts
      ? `(select distinct ${table.key} from ${allOf(table)}) as own`
      : allOf(table);
    const [{ n }] = await tx.unsafe(`select count(*) as n from ${counted}`);
    found[table.name] = Number(n);
  }
  const states: Row[] = await tx`select state, count(*) as n from queuectl.jobs group by state`;
  for (const { state, n } of states) found[`${state} jobs`] = Number(n);
  return found;
}
