-- A key is claimed, its jobs are parked, and it is let go of under this lock: whoever parks a job knows that another one's end will
-- find it.
create function queuectl.key_lock(key text) returns bigint language sql immutable parallel safe
as $$ select hashtextextended(key, 1903387757) $$;

-- When a job lets go of its key, or one that was next in turn is not any more, the first parked one of each queue is ready again,
-- whatever it was that happened: it may be that not all queues run.
create function queuectl.let_go_of_key() returns trigger language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
  done text := '';
  name text;
  first bigint;
begin
  perform pg_advisory_xact_lock(queuectl.key_lock(old.key));
  loop
    select jobs.queue, jobs.seq into name, first from queuectl.jobs
    where jobs.parked and jobs.key = old.key and jobs.queue > done
    order by jobs.key, jobs.queue, jobs.priority desc, jobs.seq limit 1;
    exit when first is null;
    update queuectl.jobs set parked = false, ready = true, next_run_at = coalesce(new.updated_at, old.updated_at)
    where seq = first and parked;
    -- Else somebody has just taken it out of the line, and the one behind it is the first.
    if found then done := name; end if;
  end loop;
  return null;
end
$$;

create trigger key_let_go after update of state, ready, key, queue, priority on queuectl.jobs for each row
when (
  old.key is not null and (
    old.state = 'processing' and new.state <> 'processing'
    or old.ready and not new.parked and (
      not new.ready and new.state <> 'processing' or new.key is distinct from old.key or new.queue <> old.queue
      or new.priority < old.priority
    )
  )
)
execute function queuectl.let_go_of_key();

create trigger key_deleted after delete on queuectl.jobs for each row
when (old.key is not null and (old.state = 'processing' or old.ready))
execute function queuectl.let_go_of_key();

-- Of jobs that were chosen those whose key nobody has, in their order. The others are parked, with more of the same keys, but for
-- those whose key somebody is just about to take or let go of.
create function queuectl.with_free_key(chosen bigint[]) returns bigint[] language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
  job record;
  free bigint[] := '{}';
  taken text[] := '{}';
begin
  for job in
    select jobs.seq, jobs.key from unnest(chosen) with ordinality as next(seq, place) join queuectl.jobs using (seq) order by place
  loop
    if job.key is null then
      free := free || job.seq;
    elsif pg_try_advisory_xact_lock(queuectl.key_lock(job.key)) then
      if job.key = any(taken) or exists (select from queuectl.jobs where jobs.key = job.key and state = 'processing') then
        update queuectl.jobs set parked = true, ready = false, next_run_at = null where seq in (
          select jobs.seq from queuectl.jobs
          where jobs.key = job.key and ready and jobs.seq <> all(free) order by jobs.key limit 1000 for update skip locked
        );
      else
        free := free || job.seq;
        taken := taken || job.key;
      end if;
    end if;
  end loop;
  return free;
end
$$;
