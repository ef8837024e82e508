// Jobs that are enqueued once, in SQLite.

import type { Unique } from "../../domain/keys.ts";
import { idTaken } from "../refusals.ts";
import type { JobRow } from "../rows.ts";
import type { Connection } from "./connection.ts";

/**
 * The number of the newest job of a key that counts at the moment `$now`, in SQL: one that is not settled, or the newest of all if it was
 * enqueued within these milliseconds, by a clock that may have been set back since. Two steps down an index, however many there were.
 */
export const sameAs = (key: string, ms: string) => `(
  select max(seq) from (
    select * from (
      select seq from jobs where unique_key = ${key} and state in ('pending', 'processing', 'failed') order by seq desc limit 1
    )
    union all
    select seq from (
      select seq, created_at from jobs where unique_key = ${key} order by seq desc limit 1
    ) where abs($now - created_at) < ${ms}
  )
)`;

export const sameJob = ({ sql }: Connection, { key, seconds }: Unique, now: number): JobRow | null =>
  sql(`select * from jobs where seq = ${sameAs("$key", "$ms")}`).get({ key, ms: seconds * 1000, now });

/** Refuses to store a job besides one whose id begins so. */
export function refuseAnother({ sql }: Connection, idBegins: string): void {
  // "~" sorts behind every character that an id may have.
  const another = sql("select id from jobs where id >= $idBegins and id < $idBegins || '~' limit 1").get({
    idBegins,
  });
  if (another) throw idTaken(another.id);
}
