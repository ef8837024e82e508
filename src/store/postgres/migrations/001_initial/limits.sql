-- How many jobs of each queue run, with what this transaction has counted: {queue: jobs}. Asked for all at once, since no index leads to the
-- changes of one.
create function queuectl.running() returns jsonb language sql stable
as $$
  select coalesce(jsonb_object_agg(queue, jobs), '{}') from (
    select queue, sum(jobs) as jobs from queuectl.all_counts where state = 'processing' group by queue
  ) as busy
$$;

-- How many jobs of a queue may start now by its rate. A start counts until its step has ended for that time, so that no stretch of that
-- length ever has more of them than may be; what comes from the future, as after the clock was set back, does not.
create function queuectl.rate_step(ms bigint) returns bigint language sql immutable
as $$ select greatest(1, ms / 1000) $$;

create function queuectl.rate_room(name text, starts integer, ms bigint, at bigint) returns bigint language sql stable
as $$
  select greatest(0, starts - coalesce(sum(jobs), 0)) from queuectl.queue_starts
  where queue = name and ends_at > at - ms and began_at <= at
$$;

-- When a queue that has no room by its rate has room for one.
create function queuectl.rate_opens_at(name text, most integer, ms bigint, at bigint) returns bigint language sql stable
as $$
  select max(ends_at) + ms from (
    select ends_at, sum(jobs) over (order by ends_at desc) as started from queuectl.queue_starts
    where queue = name and ends_at > at - ms and began_at <= at
  ) as step where started >= most
$$;

-- How many jobs of a limited queue may start now; `running` as above.
create function queuectl.room(one queuectl.queues, running jsonb, at bigint) returns bigint language sql stable
as $$
  select greatest(0, least(
    one.concurrency - coalesce((running ->> one.queue)::bigint, 0),
    case when one.rate_starts is not null then queuectl.rate_room(one.queue, one.rate_starts, one.rate_ms, at) end
  ))
$$;

-- How many jobs of each limited queue may start now, of these queues: {queue: room}. Where there is room the queue's row stays locked
-- until the turn is over, so that nobody else fills it meanwhile. `fixed_at` is the moment to take for now, null for the clock's.
create function queuectl.rooms(names text[], fixed_at bigint) returns jsonb language plpgsql
as $$
declare
  at bigint := coalesce(fixed_at, queuectl.now_ms());
  running jsonb := queuectl.running();
  locked text[] := array(
    select queue from queuectl.queues
    where queue = any(names) and (concurrency is not null or rate_starts is not null) and queuectl.room(queues, running, at) > 0
    order by queue for update
  );
begin
  -- Counted anew: others may have started some before they let go of the lock, and later than when it was asked for.
  at := coalesce(fixed_at, queuectl.now_ms());
  running := queuectl.running();
  return (
    select coalesce(jsonb_object_agg(queue, case when queue = any(locked) then queuectl.room(queues, running, at) else 0 end), '{}')
    from queuectl.queues where queue = any(names) and (concurrency is not null or rate_starts is not null)
  );
end
$$;

-- Counts jobs that start now in queues with a rate, whose rows are locked, and forgets what counts no more.
create function queuectl.record_starts(started bigint[], at bigint) returns void language plpgsql
set enable_seqscan = off set jit = off
as $$
begin
  if not exists (select from queuectl.queues where rate_starts is not null) then return; end if;
  delete from queuectl.queue_starts using queuectl.queues, queuectl.jobs
  where jobs.seq = any(started) and queues.queue = jobs.queue and rate_starts is not null
    and queue_starts.queue = queues.queue and ends_at <= at - rate_ms;
  insert into queuectl.queue_starts as kept (queue, began_at, ends_at, jobs)
  select queues.queue, at / step * step, (at / step + 1) * step, count(*)
  from queuectl.jobs join queuectl.queues on queues.queue = jobs.queue and rate_starts is not null,
    queuectl.rate_step(rate_ms) as step
  where jobs.seq = any(started)
  group by queues.queue, step order by queues.queue
  on conflict (queue, ends_at) do update set jobs = kept.jobs + excluded.jobs;
end
$$;
