// The floor of postgres: a bare loop over queuectl's own tables that keeps what queuectl promises of a run (a durable claim under a
// lease, a durable settlement that a newer lease refuses, a record of the attempt, exact counts), and can do nothing else: no retries,
// queues, limits, keys, children, alerts or output.

import { SQL } from "bun";
import { openStore } from "../../src/store/open.ts";

const [database, batch, name] = process.argv.slice(2) as [string, string, string];
const names = Array.from({ length: Number(batch) }, (_, index) => `worker-${name}-${index}`);
await using store = await openStore({ home: "/bench", database });
const process_id = await store.workers.register({
  identity: { host: "bench", boot_id: "", pid_namespace: "", pid: process.pid, pid_start: "" },
  home: "/bench",
  version: "bench",
  queues: null,
  worker_ids: names,
  journal: "",
});
const heartbeat = setInterval(() => void store.workers.heartbeat(process_id), 5_000);
const sql = new SQL(database, { max: 1 });
await sql.begin(async (tx) => {
  await tx`select pg_advisory_xact_lock(1)`;
  await tx.unsafe(`
    create or replace function public.bare_turn(seqs bigint[], leases bigint[], process bigint, names text[])
    returns table (seq bigint, lease_seq bigint, id text, command text, cwd text, env text, timeout double precision)
    language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set plan_cache_mode = force_generic_plan as $$
    #variable_conflict use_column
    declare
      at bigint := queuectl.now_ms();
    begin
      with moved as (
        update queuectl.jobs set
          state = 'completed', attempts = attempts + 1, last_exit_code = 0, last_duration = 0.001, updated_at = at, finished_at = at,
          worker_id = null
        from unnest(seqs, leases, names) as given(seq, lease, name)
        where jobs.seq = given.seq and jobs.lease_seq = given.lease and state = 'processing' and cancel_requested_at is null
        returning jobs.seq, queue, attempt_number, started_at, given.name
      ),
      written as (
        insert into queuectl.attempts (job_seq, number, result, worker_id, host, started_at, finished_at, duration, exit_code)
        select seq, attempt_number, 'exited', name, 'bench', started_at, at, 0.001, 0 from moved
      ),
      ran as (
        insert into queuectl.run_changes select at, count(*), 0, array_agg(0) from moved having count(*) > 0
      )
      insert into queuectl.count_changes
      select queue, state, sum(jobs), sum(jobs) from moved
      cross join (values ('processing', -1), ('completed', 1)) as side(state, jobs) group by queue, state;
      perform from queuectl.worker_processes where process_id = process and lease_until > at;
      if not found then return; end if;
      return query
      with next as (
        select jobs.seq from queuectl.jobs where queue = 'default' and ready
        order by priority desc, jobs.seq limit cardinality(names) for update skip locked
      ),
      taken as (
        update queuectl.jobs set
          state = 'processing', ready = false, next_run_at = null, worker_id = pick.name, lease_seq = lease_seq + 1,
          attempt_number = attempt_number + 1, started_at = at, updated_at = at
        from unnest(array(select next.seq from next), names) as pick(seq, name)
        where jobs.seq = pick.seq
        returning jobs.*
      ),
      counted as (
        insert into queuectl.count_changes
        select queue, side.state, sum(jobs), 0 from taken
        cross join (values ('pending', -1), ('processing', 1)) as side(state, jobs) group by queue, side.state
      )
      select taken.seq, taken.lease_seq, taken.id, taken.command, taken.cwd, taken.env, taken.timeout from taken;
      if random() < 0.01 then perform queuectl.add_up(); end if;
    end $$
  `);
});
console.log("ready");
await Bun.stdin.text();

let done = 0;
let held: { seq: string; lease_seq: string }[] = [];
do {
  const seqs = held.map(({ seq }) => seq);
  const leases = held.map(({ lease_seq }) => lease_seq);
  held = await sql`
    select * from bare_turn(${sql.array(seqs, "BIGINT")}, ${sql.array(leases, "BIGINT")}, ${process_id}, ${sql.array(names, "TEXT")})
  `;
  done += seqs.length;
} while (held.length > 0);
clearInterval(heartbeat);
await sql.close();
await store.workers.leave(names);
console.log(JSON.stringify({ done }));
