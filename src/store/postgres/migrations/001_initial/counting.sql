-- What is counted: all_* are the sums with the changes that are still to be added to them, and readers add up what they find there.

create view queuectl.all_counts as
select queue, state, jobs, ms from queuectl.counts
union all
select queue, state, jobs, ms from queuectl.count_changes;

create view queuectl.all_totals as
select name, value from queuectl.totals
union all
select name, value from queuectl.run_changes
cross join lateral (values ('success_runs', completed), ('failed_runs', failed)) as total(name, value) where value > 0;

create view queuectl.all_run_buckets as
select width, start, completed, failed from queuectl.run_buckets
union all
select width, ended_at - ended_at % width, completed, failed
from queuectl.run_changes cross join (values (60000::bigint), (3600000)) as bucket(width);

create view queuectl.all_run_durations as
select hour, bin, runs from queuectl.run_durations
union all
select ended_at - ended_at % 3600000, bin, 1 from queuectl.run_changes cross join unnest(bins) as bin;

create function queuectl.now_ms() returns bigint language sql volatile parallel safe
as $$ select floor(extract(epoch from clock_timestamp()) * 1000)::bigint $$;

-- A duration in seconds as the whole milliseconds that are counted.
create function queuectl.ms(duration double precision) returns bigint language sql immutable parallel safe
as $$ select round(coalesce(duration, 0) * 1000)::bigint $$;

-- Adds the changes there are to the sums. One at a time does so, and nobody else adds to sums.
create function queuectl.add_up() returns void language plpgsql
as $$
begin
  if not pg_try_advisory_xact_lock(1903387760) then return; end if;
  with gone as (delete from queuectl.count_changes returning queue, state, jobs, ms)
  insert into queuectl.counts as kept (queue, state, jobs, ms)
  select queue, state, sum(jobs), sum(ms) from gone group by queue, state having sum(jobs) <> 0 or sum(ms) <> 0
  on conflict (queue, state) do update set jobs = kept.jobs + excluded.jobs, ms = kept.ms + excluded.ms;
  with gone as materialized (delete from queuectl.run_changes returning ended_at, completed, failed, bins),
  totals as (
    insert into queuectl.totals as kept (name, value)
    select name, sum(value)
    from gone cross join lateral (values ('success_runs', completed), ('failed_runs', failed)) as total(name, value)
    where value > 0 group by name
    on conflict (name) do update set value = kept.value + excluded.value
  ),
  buckets as (
    insert into queuectl.run_buckets as kept (width, start, completed, failed)
    select width, ended_at - ended_at % width as start, sum(completed), sum(failed)
    from gone cross join (values (60000::bigint), (3600000)) as bucket(width) group by width, start
    on conflict (width, start) do update
      set completed = kept.completed + excluded.completed, failed = kept.failed + excluded.failed
  )
  insert into queuectl.run_durations as kept (hour, bin, runs)
  select ended_at - ended_at % 3600000 as hour, bin, count(*) from gone cross join unnest(bins) as bin group by hour, bin
  on conflict (hour, bin) do update set runs = kept.runs + excluded.runs;
end
$$;

-- Whoever wrote changes does so now and then, so that there are some hundred of them, however many write.
create function queuectl.is_time_to_add_up() returns boolean language sql volatile
as $$ select random() < 0.01 $$;

-- Counts jobs that came, went, or changed their state. `changes`: [{queue, state, jobs, ms}]
create function queuectl.count_jobs(changes jsonb) returns void language plpgsql
as $$
begin
  insert into queuectl.count_changes (queue, state, jobs, ms)
  select queue, state, sum(jobs), sum(ms)
  from jsonb_to_recordset(changes) as change(queue text, state text, jobs bigint, ms bigint)
  group by queue, state having sum(jobs) <> 0 or sum(ms) <> 0;
  if queuectl.is_time_to_add_up() then perform queuectl.add_up(); end if;
end
$$;
