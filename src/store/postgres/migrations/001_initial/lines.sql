-- Functions that keep the planner from walking a table do without JIT as well: it goes by the cost of a plan, which is then beyond
-- all bounds where a walk is the only way, and compiles for 30 ms what takes 30 µs.

-- The queues in which a job is ready, the last by name first: one step down the index for each, from behind, where the newest jobs are. At
-- the front stand the entries of jobs that were claimed, until a vacuum comes. Sorted by all of the index, so that no plan takes another one.
create function queuectl.ready_queues() returns setof text language plpgsql stable
set enable_seqscan = off set jit = off
as $$
declare
  name text := (select queue from queuectl.jobs where ready order by queue desc, priority, seq desc limit 1);
begin
  while name is not null loop
    return next name;
    name := (
      select queue from queuectl.jobs where ready and queue < name order by queue desc, priority, seq desc limit 1
    );
  end loop;
end
$$;

-- The queues in which a job waits for its moment, likewise.
create function queuectl.waiting_queues() returns setof text language plpgsql stable
set enable_seqscan = off set jit = off
as $$
declare
  name text := (
    select queue from queuectl.jobs
    where not ready and next_run_at is not null order by queue desc, next_run_at desc limit 1
  );
begin
  while name is not null loop
    return next name;
    name := (
      select queue from queuectl.jobs
      where not ready and next_run_at is not null and queue < name order by queue desc, next_run_at desc limit 1
    );
  end loop;
end
$$;

-- When the next waiting job of these queues may run.
create function queuectl.next_due_at(queues text[]) returns bigint language plpgsql stable
set enable_seqscan = off set jit = off
as $$
begin
  return (
    select min((
      select next_run_at from queuectl.jobs
      where jobs.queue = waiting.queue and not ready and next_run_at is not null order by next_run_at limit 1
    ))
    from unnest(queues) as waiting(queue)
  );
end
$$;

-- Makes up to `most` waiting jobs ready whose moment has come.
create function queuectl.promote(queues text[], at bigint, most integer) returns bigint language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
  promoted bigint;
begin
  update queuectl.jobs set ready = true where seq in (
    select due.seq
    from unnest(queues) as waiting(queue)
    cross join lateral (
      select jobs.seq from queuectl.jobs
      where jobs.queue = waiting.queue and not ready and next_run_at is not null and next_run_at <= at
      order by next_run_at limit most for update skip locked
    ) as due
  );
  get diagnostics promoted = row_count;
  return promoted;
end
$$;
