// The mark of a queue that was moved to another database. It stands in the database itself, with triggers that refuse what is
// written, so that programs that have opened it before obey it too.

import { hasMoved } from "../refusals.ts";
import type { Connection } from "./connection.ts";

/** Whatever is written begins with one of these; a worker enters itself first. */
const refused = [
  ...["jobs", "settings", "schedules", "queues", "alerts"].flatMap((table) =>
    ["insert", "update", "delete"].map((change) => ({ change, table })),
  ),
  { change: "insert", table: "worker_processes" },
];

const nameOf = ({ change, table }: (typeof refused)[number]) => `moved_${change}_${table}`;

/** To be called in a transaction. `to` is where the queue is now, as messages call it. */
export function markMoved({ db, sql }: Connection, to: string): void {
  db.run("create table moved (place text not null) strict");
  sql("insert into moved (place) values ($to)").run({ to });
  for (const one of refused) {
    db.run(`
      create trigger ${nameOf(one)} before ${one.change} on ${one.table}
      begin select raise(abort, '${to.replaceAll("'", "''")}'); end
    `);
  }
}

/** Where the queue is now; undefined when it is here. */
export const movedTo = ({ sql, read }: Connection): Promise<string | undefined> =>
  read(() => {
    const isMarked = sql("select 1 from sqlite_schema where name = 'moved'").get() !== null;
    return isMarked ? sql("select place from moved").get().place : undefined;
  });

export async function refuseMoved(connection: Connection): Promise<void> {
  const to = await movedTo(connection);
  if (to !== undefined) throw hasMoved(to);
}

/** Takes the mark away. Returns where the queue had moved to, or undefined when it had not. */
export async function unmarkMoved(connection: Connection): Promise<string | undefined> {
  const to = await movedTo(connection);
  if (to === undefined) return undefined;
  await connection.write(() => {
    for (const one of refused) connection.db.run(`drop trigger if exists ${nameOf(one)}`);
    connection.db.run("drop table if exists moved");
  });
  return to;
}
