// The floor of cycle: the same jobs in the same tables, claimed and settled 32 at a time with the same durability by one file. It takes the
// next by priority and order, gives each a worker and a lease, keeps a record of each attempt, the counts and the charts, and settles only
// what it still has the lease of. It knows one queue, no keys, limits, parents, alerts or other outcomes.

import { Database } from "bun:sqlite";
import { databasePath } from "../../src/home.ts";
import { openStore } from "../../src/store/open.ts";
import { plainJob } from "../example.ts";

const [home, count] = process.argv.slice(2) as [string, string];
const jobs = Number(count);
{
  await using store = await openStore({ home });
  await store.jobs.enqueueAll(
    (async function* () {
      for (let job = 0; job < jobs; job++) yield plainJob;
    })(),
  );
}

const db = new Database(databasePath(home), { readwrite: true, strict: true });
db.run("pragma synchronous = full; pragma cache_size = -8000");
const next = db.query(
  "select * from jobs where queue = 'default' and ready = 1 order by priority desc, seq limit 32",
);
const take = db.query(`
  update jobs set
    state = 'processing', ready = 0, next_run_at = null, worker_id = value ->> 1, lease_seq = lease_seq + 1,
    attempt_number = attempt_number + 1, started_at = $now, updated_at = $now, finished_at = null
  from json_each($taken) where seq = value ->> 0
`);
const begin = db.query(`
  insert into attempts (job_seq, number, worker_id, host, started_at)
  select value ->> 0, value ->> 2, value ->> 1, 'bench', $now from json_each($taken)
`);
const settle = db.query<{ seq: number; number: number }, { settled: string; now: number }>(`
  update jobs set
    state = 'completed', attempts = attempts + 1, lost_in_row = 0, last_exit_code = 0, last_error = null, last_duration = 0.001,
    updated_at = $now, finished_at = $now, worker_id = null
  from json_each($settled)
  where seq = value ->> 0 and lease_seq = value ->> 1 and state = 'processing' returning seq, attempt_number as number
`);
const end = db.query(`
  update attempts set result = 'exited', finished_at = $now, duration = 0.001, exit_code = 0
  from json_each($ended) where job_seq = value ->> 'seq' and number = value ->> 'number'
`);
const add = db.query(`
  insert into counts (queue, state, jobs, ms) values ('default', $state, $jobs, 0)
  on conflict (queue, state) do update set jobs = jobs + excluded.jobs
`);

const chart = db.query(`
  insert into run_buckets (width, start, completed, failed)
  values (60000, $now - $now % 60000, $runs, 0), (3600000, $now - $now % 3600000, $runs, 0)
  on conflict (width, start) do update set completed = completed + excluded.completed
`);
const duration = db.query(`
  insert into run_durations (hour, bin, runs) values ($now - $now % 3600000, 0, $runs)
  on conflict (hour, bin) do update set runs = runs + excluded.runs
`);

interface Row {
  readonly seq: number;
  readonly lease_seq: number;
  readonly attempt_number: number;
}

const begun = performance.now();
let done = 0;
let running: (readonly [number, number])[] = [];
const turn = db.transaction(() => {
  const now = Date.now();
  const ended = settle.all({ settled: JSON.stringify(running), now });
  end.run({ ended: JSON.stringify(ended), now });
  const rows = next.all() as Row[];
  const taken = JSON.stringify(
    rows.map(({ seq, attempt_number }, place) => [seq, `worker-${place}`, attempt_number + 1]),
  );
  take.run({ taken, now });
  begin.run({ taken, now });
  add.run({ state: "completed", jobs: ended.length });
  add.run({ state: "processing", jobs: rows.length - ended.length });
  add.run({ state: "pending", jobs: -rows.length });
  chart.run({ now, runs: ended.length });
  duration.run({ now, runs: ended.length });
  done += ended.length;
  running = rows.map(({ seq, lease_seq }) => [seq, lease_seq + 1]);
});
do turn.immediate();
while (running.length > 0);
console.log(JSON.stringify({ done, ms: performance.now() - begun }));
db.close();
