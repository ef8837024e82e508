-- Writes down for the alerts that want to know what became of jobs, in the transaction that changed them. `ended`: rows of jobs.
create function queuectl.note_ended(ended jsonb, moment bigint) returns void language plpgsql
as $$
begin
  if not exists (select from queuectl.alerts) then return; end if;
  insert into queuectl.outbox (id, alert, event, happened_at, about)
  select gen_random_uuid(), name, job ->> 'state', moment, job
  from jsonb_array_elements(ended) as job join queuectl.alerts
    on not paused and job ->> 'state' in ('dead', 'completed') and events::jsonb ? (job ->> 'state')
    and (queue is null or queue = job ->> 'queue')
    -- Of the table, since a row of jobs whose tags cannot be read is settled too.
    and (tag is null or exists (
      select from queuectl.job_tags where job_tags.tag = alerts.tag and seq = (job ->> 'seq')::bigint
    ));
end
$$;

-- Lets those that wait for jobs which are settled, or are being removed, go, be cancelled, or wait on; and so on for those that wait for a
-- cancelled one. Null when there were none, else what is to be counted: [{queue, state, jobs}]. domain/dependencies.ts says what becomes of whom.
create function queuectl.tell_children(parents bigint[], are_removed boolean, at bigint) returns jsonb language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
declare
  ended bigint[] := parents;
  moves jsonb;
  counted jsonb;
begin
  while cardinality(ended) > 0 loop
    perform from queuectl.jobs
    where seq in (select child from queuectl.dependencies where parent = any(ended) and waits) order by seq for update;
    exit when not found;
    with link as materialized (
      select child, parent, id, state, if_fails,
        are_removed or state = 'completed' or if_fails = 'run' as is_met
      from queuectl.dependencies join queuectl.jobs on jobs.seq = parent
      where parent = any(ended) and waits
    ),
    failed as materialized (
      select distinct on (child) child, id, state from link where not is_met and if_fails = 'cancel' order by child, parent
    ),
    met as materialized (
      select child, count(*)::integer as many from link
      where is_met and child not in (select child from failed) group by child
    ),
    -- Found by their children: a walk through all that wait would be one for each generation.
    closed as (
      update queuectl.dependencies set waits = false
      from (
        select child, parent from link where is_met
        union
        select child, dependencies.parent from failed join queuectl.dependencies using (child) where waits
      ) as over
      where dependencies.child = over.child and dependencies.parent = over.parent
    ),
    freed as (
      update queuectl.jobs set
        unmet = unmet - many, ready = unmet = many and run_at <= at and not held and not parked,
        next_run_at = case when unmet = many and not held and not parked then greatest(run_at, at) end, updated_at = at
      from met where jobs.seq = met.child
    ),
    gone as (
      update queuectl.jobs set
        state = 'cancelled', ready = false, held = false, parked = false, unmet = 0, next_run_at = null,
        last_error = format('job %s, which it comes after, is %s', failed.id, failed.state), finished_at = at, updated_at = at
      from failed where jobs.seq = failed.child returning jobs.seq, jobs.queue
    )
    select
      coalesce((select array_agg(seq) from gone), '{}'),
      coalesce((
        select jsonb_agg(jsonb_build_object('queue', queue, 'state', side.state, 'jobs', side.jobs, 'ms', 0))
        from (select queue, count(*) as many from gone group by queue) as cancelled
        cross join lateral (values ('pending', -many), ('cancelled', many)) as side(state, jobs)
      ), '[]')
    into ended, counted;
    -- Added up, or they would be copied whole for each generation.
    moves := (
      select coalesce(jsonb_agg(sums), '[]') from (
        select queue, state, sum(jobs) as jobs, 0 as ms
        from jsonb_to_recordset(coalesce(moves, '[]') || counted) as change(queue text, state text, jobs bigint)
        group by queue, state
      ) as sums
    );
  end loop;
  return moves;
end
$$;
