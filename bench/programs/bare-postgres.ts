// The floor of postgres: the same jobs in the same tables, claimed and settled as many at a time by one statement of one file. It takes the
// next by priority and order that nobody else takes, gives each a worker and a lease, writes a record of each attempt and the
// changes of counts, and settles only what it still has the lease of. It knows one queue, no keys, limits, parents, alerts, charts or
// other outcomes. It begins when its standard input ends.

import { SQL } from "bun";

const [database, batch, name] = process.argv.slice(2) as [string, string, string];
const sql = new SQL(database, { max: 1, connection: { enable_seqscan: "off", jit: "off" } });

interface Row {
  readonly seq: string;
  readonly lease_seq: string;
}

const turn = (running: readonly object[]): Promise<Row[]> => sql`
  with moved as (
    update queuectl.jobs set
      state = 'completed', attempts = attempts + 1, lost_in_row = 0, last_exit_code = 0, last_error = null, last_duration = 0.001,
      updated_at = queuectl.now_ms(), finished_at = queuectl.now_ms(), worker_id = null
    from jsonb_to_recordset(${running}::jsonb) as given(job_seq bigint, held_lease bigint, worker text)
    where seq = job_seq and lease_seq = held_lease and (state = 'processing') is true
    returning seq, attempt_number, worker, started_at, finished_at
  ),
  written as (
    insert into queuectl.attempts (job_seq, number, result, worker_id, host, started_at, finished_at, duration, exit_code)
    select seq, attempt_number, 'exited', worker, 'bench', started_at, finished_at, 0.001, 0 from moved
  ),
  next as (
    select seq, row_number() over () as place from (
      select seq from queuectl.jobs where queue = 'default' and ready
      order by priority desc, seq limit ${Number(batch)}::integer for update skip locked
    ) as free
  ),
  taken as (
    update queuectl.jobs set
      state = 'processing', ready = false, next_run_at = null, worker_id = ${name}::text || '-' || place, lease_seq = lease_seq + 1,
      attempt_number = attempt_number + 1, started_at = queuectl.now_ms(), updated_at = queuectl.now_ms(), finished_at = null
    from next where jobs.seq = next.seq
    returning jobs.*
  ),
  counted as (
    insert into queuectl.count_changes (queue, state, jobs, ms)
    select 'default', state, jobs, 0
    from (select count(*) from taken) as taken(n), (select count(*) from moved) as moved(n),
      lateral (values ('pending', -taken.n), ('processing', taken.n - moved.n), ('completed', moved.n)) as change(state, jobs)
    where jobs <> 0
  )
  select * from taken
`;

await sql`select 1`;
console.log("ready");
await Bun.stdin.text();

/** Others may hold those that are left, and let go of them. */
async function isLeft(): Promise<boolean> {
  const [{ left }] =
    await sql`select exists (select from queuectl.jobs where queue = 'default' and ready) as left`;
  if (left) await Bun.sleep(2);
  return left;
}

/** PostgreSQL may find that two turns wait for each other, and then undoes one of them. */
async function turnAtLast(running: readonly object[]): Promise<Row[]> {
  for (;;) {
    try {
      return await turn(running);
    } catch (error) {
      if ((error as { errno?: unknown }).errno !== "40P01") throw error;
    }
  }
}

let done = 0;
let running: Row[] = [];
do {
  done += running.length;
  running = await turnAtLast(
    running.map(({ seq, lease_seq }, place) => ({
      job_seq: Number(seq),
      held_lease: Number(lease_seq),
      worker: `${name}-${place + 1}`,
    })),
  );
} while (running.length > 0 || (await isLeft()));
await sql.close();
console.log(JSON.stringify({ done }));
