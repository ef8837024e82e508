// The floor of bulk: as many rows as asked for, into queuectl's own table and indexes, in one transaction.

import { Database } from "bun:sqlite";
import { schemaSteps } from "../../src/store/sqlite/migrate.ts";

const [path, count] = process.argv.slice(2) as [string, string];
using db = new Database(path, { create: true, strict: true });
db.run("pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -8000");
for (const step of schemaSteps) db.run(step);
using insert = db.prepare(`
  insert into jobs (
    id, command, state, ready, max_retries, priority, timeout, queue, tags, cwd, env, run_at, next_run_at, created_at, updated_at
  ) values ($id, 'true', 'pending', 1, 3, 1, 3600, 'default', '[]', '/', $env, $now, $now, $now, $now)
`);
const env = JSON.stringify({ PATH: process.env.PATH });
db.transaction(() => {
  const now = Date.now();
  for (let job = 0; job < Number(count); job++) insert.run({ id: randomId(), env, now });
}).immediate();
console.log(db.query<{ n: number }, []>("select count(*) as n from jobs").get()!.n);

/** As random as queuectl's: the index of ids is filled in no order. */
function randomId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex");
}
