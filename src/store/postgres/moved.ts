// The mark of a queue that was moved to another database, as in SQLite: it stands in the database itself, with triggers that
// refuse what is written, so that programs that have opened it before obey it too.

import type { SQL } from "bun";
import { hasMoved } from "../refusals.ts";

/** The SQLSTATE of that refusal; PostgreSQL has none in this class. */
export const movedState = "QM001";

/** To be called in a transaction, by the tables' owner. `to` is where the queue is now, as messages call it. */
export async function markMoved(tx: SQL, to: string): Promise<void> {
  await tx.unsafe(`
    create table queuectl.moved (place text not null);
    grant select on queuectl.moved to public;
    create function queuectl.refuse_moved() returns trigger language plpgsql as $$
    begin
      raise exception using errcode = '${movedState}', message = (select place from queuectl.moved);
    end
    $$;
    create trigger moved before insert or update or delete on queuectl.jobs execute function queuectl.refuse_moved();
    create trigger moved before insert or update or delete on queuectl.settings execute function queuectl.refuse_moved();
    create trigger moved before insert or update or delete on queuectl.schedules execute function queuectl.refuse_moved();
    create trigger moved before insert or update or delete on queuectl.queues execute function queuectl.refuse_moved();
    create trigger moved before insert or update or delete on queuectl.alerts execute function queuectl.refuse_moved();
    create trigger moved before insert on queuectl.worker_processes execute function queuectl.refuse_moved();
  `);
  await tx`insert into queuectl.moved (place) values (${to})`;
}

/** Where the queue is now; undefined when it is here. */
export async function movedTo(sql: SQL): Promise<string | undefined> {
  const [{ marked }] = await sql`select to_regclass('queuectl.moved') is not null as marked`;
  return marked ? (await sql`select place from queuectl.moved`)[0].place : undefined;
}

export async function refuseMoved(sql: SQL): Promise<void> {
  const to = await movedTo(sql);
  if (to !== undefined) throw hasMoved(to);
}

/** Takes the mark away, in a transaction. Returns where the queue had moved to, or undefined when it had not. */
export async function unmarkMoved(tx: SQL): Promise<string | undefined> {
  const to = await movedTo(tx);
  if (to === undefined) return undefined;
  // The triggers go with it.
  await tx.unsafe("drop function queuectl.refuse_moved() cascade; drop table queuectl.moved");
  return to;
}
