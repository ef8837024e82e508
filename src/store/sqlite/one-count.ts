// One count in SQLite: all that an enqueue has to load to count its job.

import type { CountChange } from "../count-changes.ts";
import type { Connection } from "./connection.ts";

export function saveCount({ sql }: Connection, { queue, state, jobs, ms }: CountChange): void {
  sql(`
    insert into counts (queue, state, jobs, ms) values ($queue, $state, $jobs, $ms)
    on conflict (queue, state) do update set jobs = jobs + excluded.jobs, ms = ms + excluded.ms
  `).run({ queue, state, jobs, ms });
}
