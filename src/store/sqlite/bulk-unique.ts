// Of a list on its way in the jobs that are there already, in SQLite.

import type { KnownJobs } from "../known-jobs.ts";
import type { Connection } from "./connection.ts";

/** Takes them out of the list, in the transaction that stores the others. */
export function setKnownAside({ sql, clock }: Connection, batch: number): KnownJobs {
  if (!sql("select 1 from staged where batch = $batch and unique_key is not null limit 1").get({ batch }))
    return new Map();
  const rows: { place: number; first: number; there: string | null }[] = sql(`
    select place, min(place) over (partition by unique_key) as first, (
      select jobs.id from jobs
      where jobs.unique_key = staged.unique_key
        and (jobs.state in ('pending', 'processing', 'failed') or jobs.created_at > $now - staged.unique_ms)
      order by jobs.seq desc limit 1
    ) as there
    from staged where batch = $batch and unique_key is not null
  `).all({ batch, now: clock() });
  const known = new Map(
    rows.flatMap(({ place, first, there }): [number, string | number][] =>
      there !== null ? [[place, there]] : first < place ? [[place, first]] : [],
    ),
  );
  sql("delete from staged where batch = $batch and place in (select value from json_each($places))").run({
    batch,
    places: JSON.stringify([...known.keys()]),
  });
  return known;
}
