// Of a list on its way in the jobs that are there already, in SQLite.

import { type KnownJobs, knownAmong, type Wish } from "../known-jobs.ts";
import type { Connection } from "./connection.ts";
import { sameAs } from "./unique.ts";

/** Takes them out of the list, in the transaction that stores the others. */
export function setKnownAside({ sql, clock }: Connection, batch: number): KnownJobs {
  if (!sql("select 1 from staged where batch = $batch and unique_key is not null limit 1").get({ batch }))
    return new Map();
  const wishes: Wish[] = sql(`
    select place, unique_key, (select id from jobs where seq = ${sameAs("staged.unique_key", "staged.unique_ms")}) as there
    from staged where batch = $batch and unique_key is not null order by place
  `).all({ batch, now: clock() });
  const known = knownAmong(wishes);
  sql("delete from staged where batch = $batch and place in (select value from json_each($places))").run({
    batch,
    places: JSON.stringify([...known.keys()]),
  });
  return known;
}
