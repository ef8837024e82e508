-- A turn of a worker process: what it started, what ended, and new jobs for its idle workers.
--
-- `(state = 'processing') is true` is there so that no index by state is walked for what runs: the planner takes that for the quickest way when
-- none ran the last time that it counted rows.

-- Every attempt, those that run and are not written yet included.
create view queuectl.all_attempts as
select * from queuectl.attempts
union all
select seq, attempt_number, null, worker_id, coalesce(host, 'unknown'), null, null, jobs.started_at, null, null, null, null, null, null, null, null, 0, false, 0
from queuectl.jobs
left join queuectl.workers on workers.id = jobs.worker_id
left join queuectl.worker_processes using (process_id)
where state = 'processing' and worker_id is not null
  and not exists (select from queuectl.attempts where job_seq = seq and number = attempt_number);

-- Once a worker is not entered any more, nobody knows where its attempt runs.
create function queuectl.write_attempt() returns trigger language plpgsql
set enable_seqscan = off set jit = off
as $$
begin
  insert into queuectl.attempts (job_seq, number, worker_id, host, started_at)
  select seq, attempt_number, worker_id, host, jobs.started_at
  from queuectl.jobs cross join queuectl.worker_processes
  where worker_id = old.id and state = 'processing' and process_id = old.process_id
  on conflict do nothing;
  return old;
end
$$;

create trigger worker_leaves before delete on queuectl.workers for each row execute function queuectl.write_attempt();

-- Held by who takes the process out, alone, and by its claims (claiming_host), shared: one whose jobs are being given away claims no new
-- ones. Its row waits for a take-over that is just giving it jobs.
create function queuectl.lock_claims(process_id bigint) returns void language plpgsql
as $$
begin
  perform pg_advisory_xact_lock(1903387757, process_id::integer);
  perform from queuectl.worker_processes where worker_processes.process_id = lock_claims.process_id for update;
end
$$;

-- The host of the process that wants jobs for a worker, which is entered and whose lease has not ended as long as the turn takes; null when
-- it is not.
create function queuectl.claiming_host(name text, at bigint) returns text language plpgsql
as $$
begin
  perform pg_advisory_xact_lock_shared(1903387757, process_id::integer) from queuectl.workers where id = name;
  return (
    select host from queuectl.workers join queuectl.worker_processes using (process_id) where id = name and lease_until > at
  );
end
$$;

-- Writes how attempts ended and what becomes of their jobs. `ended` says of each: which lease; the worker, its host and pid for an attempt that
-- is not written yet; the ending; the job's next state, with `delay` in milliseconds, and what of it is different when a user has asked for its
-- end (`if_cancelled`); `runs` for a run that counts as failed unless it completed; and what its last run was counted with.
create function queuectl.settle(
  ended jsonb, at bigint, out settled bigint[], out closed bigint[], out turned jsonb
) language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
  is_last boolean := false;
  now_settled bigint[];
  now_closed bigint[];
begin
  settled := '{}';
  closed := '{}';
  loop
    with moved as (
      update queuectl.jobs set
        state = given.state, ready = coalesce(given.delay <= 0, false), attempts = given.attempts, lost_in_row = given.lost_in_row,
        next_run_at = at + given.delay, last_exit_code = given.last_exit_code, last_error = given.last_error,
        last_duration = given.last_duration, updated_at = at, finished_at = case when given.state <> 'pending' then at end,
        worker_id = null, snooze = null, cancel_requested_at = null
      from jsonb_to_recordset(ended) as given(
        job_seq bigint, lease_seq bigint, worker_id text, host text, pid integer, result text, duration double precision,
        exit_code integer, signal text, error text, note text, cpu_time double precision, peak_memory bigint, log_bytes bigint,
        log_truncated boolean, log_left_out bigint, state text, attempts integer, lost_in_row integer, delay bigint, last_exit_code integer,
        last_error text, last_duration double precision, runs boolean, bin integer, counted_duration double precision
      )
      where jobs.seq = given.job_seq and jobs.lease_seq = given.lease_seq and (jobs.state = 'processing') is true
        and (is_last or jobs.snooze is null and jobs.cancel_requested_at is null)
      returning jobs.seq, jobs.queue, jobs.state, jobs.attempt_number, jobs.started_at, jobs.last_duration, given.worker_id, host, pid, result,
        duration, exit_code, signal, error, note, cpu_time, peak_memory, log_bytes, log_truncated, log_left_out, runs, bin, counted_duration
    ),
    written as (
      insert into queuectl.attempts as known (
        job_seq, number, result, worker_id, host, pid, started_at, finished_at, duration, exit_code, signal, error, note, cpu_time,
        peak_memory, log_bytes, log_truncated, log_left_out
      )
      select seq, attempt_number, result, worker_id, coalesce(host, 'unknown'), pid, started_at, at, duration, exit_code, signal, error, note, cpu_time,
        peak_memory, log_bytes, log_truncated, log_left_out
      from moved
      on conflict (job_seq, number) do update set
        result = excluded.result, pid = coalesce(known.pid, excluded.pid), finished_at = excluded.finished_at,
        duration = excluded.duration, exit_code = excluded.exit_code, signal = excluded.signal, error = excluded.error,
        note = excluded.note, cpu_time = excluded.cpu_time, peak_memory = excluded.peak_memory, log_bytes = excluded.log_bytes,
        log_truncated = excluded.log_truncated, log_left_out = excluded.log_left_out
    ),
    counted as (
      insert into queuectl.count_changes (queue, state, jobs, ms)
      select queue, side.state, sum(side.jobs), sum(side.ms)
      from moved cross join lateral (
        values ('processing', -1, -queuectl.ms(counted_duration)), (state, 1, queuectl.ms(last_duration))
      ) as side(state, jobs, ms)
      group by queue, side.state
    ),
    ran as (
      insert into queuectl.run_changes (ended_at, completed, failed, bins)
      select at, count(*) filter (where state = 'completed'), count(*) filter (where state <> 'completed'), array_agg(bin)
      from moved where runs or state = 'completed' having count(*) > 0
    )
    select
      coalesce(array_agg(seq), '{}'),
      coalesce(array_agg(seq) filter (where state in ('completed', 'dead', 'cancelled')), '{}')
    into now_settled, now_closed from moved;
    settled := settled || now_settled;
    closed := closed || now_closed;
    if is_last then
      turned := (select jsonb_agg(to_jsonb(jobs)) from queuectl.jobs where seq = any(now_settled));
    end if;
    exit when is_last or cardinality(settled) = jsonb_array_length(ended);
    -- What a user, or the command itself, has asked for while it ran, as endingAfter and outcomeOf of the domain have it.
    ended := (
      select jsonb_agg(
        case
          when snooze is not null and one ->> 'result' = 'exited' then one || jsonb_build_object(
            'result', 'snoozed', 'error', null, 'last_error', null, 'runs', false, 'attempts', attempts,
            'state', case when cancel_requested_at is null then 'pending' else 'cancelled' end,
            'delay', case when cancel_requested_at is null then snooze end
          )
          when cancel_requested_at is null then one
          else one || coalesce(one -> 'if_cancelled', '{}')
        end
        order by seq
      )
      from (
        select jobs.*, one from jsonb_array_elements(ended) as one join queuectl.jobs
          on seq = (one ->> 'job_seq')::bigint and lease_seq = (one ->> 'lease_seq')::bigint and (state = 'processing') is true
        order by seq for update of jobs
      ) as asked
    );
    exit when ended is null;
    is_last := true;
  end loop;
end
$$;

-- One turn in one round trip; store/postgres/leases.ts says what goes in. Returns a row for each claimed job, in the order of the workers, and one
-- with an `answer` last.
create function queuectl.exchange(turn jsonb) returns table (
  answer json, seq bigint, id text, command text, attempts integer, attempt_number integer, max_retries integer, priority integer,
  timeout double precision, queue text, tags text, cwd text, env text, rules text, key text, run_at bigint, created_at bigint,
  started_at bigint, last_exit_code integer, last_error text, last_duration double precision, worker_id text, lease_seq bigint,
  lost_in_row integer, host text
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  fixed_at bigint := (turn ->> 'at')::bigint;
  at bigint := coalesce(fixed_at, queuectl.now_ms());
  settled_at constant bigint := at;
  wanted jsonb := nullif(turn -> 'wanted', 'null');
  -- Null for every queue.
  asked text[];
  shut text[] := '{}';
  open_queues text[];
  -- Those of them whose first jobs come first.
  near_queues text[];
  waiting_queues text[];
  rooms jsonb := '{}';
  -- How many jobs of each queue run, where that counts.
  running jsonb;
  is_fair boolean := coalesce((wanted ->> 'isFair')::boolean, false);
  names text[];
  place text;
  chosen bigint[] := '{}';
  is_keyed boolean := false;
  free bigint[];
  most_rounds constant integer := 5;
  -- More than one turn needs, because others may hold the first jobs of some.
  most_queues constant integer := 64;
  settled bigint[] := '{}';
  closed bigint[] := '{}';
  turned jsonb;
  told jsonb;
  has_children boolean;
  has_alerts boolean;
  has_queues boolean;
  has_waiting boolean;
  due bigint;
  crowded boolean := false;
  freed boolean := false;
  expelled boolean := false;
begin
  -- What a torn network delivers late would claim jobs that nobody hears of.
  if (turn ->> 'until')::bigint < queuectl.now_ms() then
    raise exception 'nobody waits for this turn any more' using errcode = 'QC002';
  end if;
  if turn ? 'started' then
    insert into queuectl.attempts as known (job_seq, number, worker_id, host, pid, pid_start, started_at)
    select jobs.seq, attempt_number, jobs.worker_id, coalesce(host, 'unknown'), word.pid, word.pid_start, jobs.started_at
    from jsonb_to_recordset(turn -> 'started') as word(job_seq bigint, lease_seq bigint, pid integer, pid_start text)
    join queuectl.jobs on jobs.seq = word.job_seq and jobs.lease_seq = word.lease_seq and (jobs.state = 'processing') is true
    left join queuectl.workers on workers.id = jobs.worker_id
    left join queuectl.worker_processes using (process_id)
    on conflict on constraint attempts_pkey do update set pid = excluded.pid, pid_start = excluded.pid_start;
  end if;

  if turn ? 'output' and (
    select min(size - start)
    from (
      select * from jsonb_to_recordset(turn -> 'output')
        as piece(job_seq bigint, lease_seq bigint, stream smallint, start bigint, bytes text)
      order by job_seq
    ) as piece
    cross join lateral queuectl.add_output(job_seq, lease_seq, stream, start, decode(bytes, 'base64')) as size
  ) < 0 then
    raise exception 'output before this is missing' using errcode = 'object_not_in_prerequisite_state';
  end if;

  if turn ? 'ended' then
    select done.settled, done.closed, done.turned into settled, closed, turned
    from queuectl.settle(turn -> 'ended', at) as done;
    if cardinality(settled) < jsonb_array_length(turn -> 'ended') then
      insert into queuectl.totals as kept (name, value)
      values ('stale_settlements', jsonb_array_length(turn -> 'ended') - cardinality(settled))
      on conflict on constraint totals_pkey do update set value = kept.value + excluded.value;
    end if;
  end if;

  -- Asked only now: a parent's row is locked while another job is made to come after it. What nobody uses costs nothing beyond this.
  select
    exists (select from queuectl.dependencies where parent = any(closed) and waits),
    exists (select from queuectl.alerts),
    exists (select from queuectl.queues),
    exists (select from queuectl.jobs where not ready and next_run_at is not null)
  into has_children, has_alerts, has_queues, has_waiting
  from queuectl.meta where meta.id = (turn -> 'queue' ->> 'id')::uuid and meta.tableoid = (turn -> 'queue' ->> 'made')::oid;
  -- A fail-over, or a pooler's, may have put another queue in this one's place, and so may a dump that was restored.
  if not found then
    raise exception 'another queue' using errcode = 'QC001';
  end if;
  if has_children then
    told := queuectl.tell_children(closed, false, at);
    if told <> '[]' then perform queuectl.count_jobs(told); end if;
    has_waiting := true;
  end if;
  if has_alerts and cardinality(settled) > 0 then
    perform queuectl.note_ended((select jsonb_agg(to_jsonb(jobs)) from queuectl.jobs where jobs.seq = any(settled)), at);
  end if;

  if wanted is not null then
    names := array(select jsonb_array_elements_text(wanted -> 'worker_ids'));
    if wanted ->> 'only' is not null then
      open_queues := array(select jobs.queue from queuectl.jobs where jobs.seq = (wanted ->> 'only')::bigint);
      rooms := queuectl.rooms(open_queues, fixed_at);
      at := coalesce(fixed_at, greatest(at, queuectl.now_ms()));
      chosen := queuectl.with_free_key(array(
        select jobs.seq from queuectl.jobs
        where jobs.seq = (wanted ->> 'only')::bigint and (ready or parked or next_run_at <= at)
          and coalesce((rooms ->> jobs.queue)::bigint, 1) > 0
        for update skip locked
      ));
    else
      if jsonb_typeof(wanted -> 'queues') = 'array' then
        asked := array(select distinct jsonb_array_elements_text(wanted -> 'queues'));
      end if;
      if has_queues then
        shut := array(select queues.queue from queuectl.queues where paused_at is not null);
      end if;
      if has_waiting then
        waiting_queues := array(
          select name from unnest(coalesce(asked, array(select queuectl.waiting_queues()))) as name where name <> all(shut)
        );
        due := queuectl.next_due_at(waiting_queues);
        if due <= at then
          -- More fall due than one transaction should touch: nothing is claimed before all of them stand in line.
          crowded := queuectl.promote(waiting_queues, at, (turn ->> 'promote')::integer) >= (turn ->> 'promote')::integer;
        end if;
      end if;
      if not crowded then
        open_queues := coalesce(asked, array(select queuectl.ready_queues()));
        if has_queues then
          open_queues := array(select name from unnest(open_queues) as name where name <> all(shut));
          rooms := queuectl.rooms(open_queues, fixed_at);
          -- What starts now starts after whatever others have started under the same locks.
          at := coalesce(fixed_at, greatest(at, queuectl.now_ms()));
        end if;
        if is_fair then running := queuectl.running(); end if;
        for round in 1..most_rounds loop
          -- Who stands behind another queue's first is not chosen, and is not to be locked for others either.
          near_queues := open_queues;
          if cardinality(open_queues) > greatest(cardinality(names), most_queues) then
            near_queues := array(
              select open.queue from unnest(open_queues) as open(queue)
              cross join lateral (
                select jobs.seq, jobs.priority from queuectl.jobs
                where jobs.queue = open.queue and ready
                order by jobs.priority desc, jobs.seq
                limit least(1, (rooms ->> open.queue)::bigint)
              ) as first
              order by first.priority desc, case when is_fair then coalesce((running ->> open.queue)::bigint, 0) end, first.seq
              limit greatest(cardinality(names), most_queues)
            );
          end if;
          -- Where queues take turns, each job counts those of its queue that run or come before it.
          select coalesce(array_agg(next.seq order by next.priority desc, next.load, next.seq), '{}'), coalesce(bool_or(next.is_keyed), false)
          into chosen, is_keyed
          from (
            select next.*, case when is_fair then coalesce((running ->> open.queue)::bigint, 0)
              + row_number() over (partition by open.queue order by next.priority desc, next.seq) end as load
            from unnest(near_queues) as open(queue)
            cross join lateral (
              select jobs.seq, jobs.priority, jobs.key is not null as is_keyed from queuectl.jobs
              where jobs.queue = open.queue and ready
              order by jobs.priority desc, jobs.seq
              limit least(cardinality(names), (rooms ->> open.queue)::bigint) for update skip locked
            ) as next
            order by next.priority desc, load, next.seq limit cardinality(names)
          ) as next;
          exit when not is_keyed;
          if round = 1 then
            -- Nothing is parked behind what is not claimed then.
            place := queuectl.claiming_host(names[1], at);
            exit when place is null;
          end if;
          free := queuectl.with_free_key(chosen);
          exit when free = chosen;
          -- Those that were parked have made room for who is behind them.
          crowded := round = most_rounds;
          chosen := free;
        end loop;
      end if;
    end if;
    if cardinality(chosen) > 0 then
      if place is null then place := queuectl.claiming_host(names[1], at); end if;
      if place is null then
        expelled := true;
        chosen := '{}';
      end if;
    end if;
    if cardinality(chosen) > 0 then
      return query
      with taken as (
        update queuectl.jobs set
          state = 'processing', ready = false, parked = false, next_run_at = null, worker_id = pick.name, lease_seq = jobs.lease_seq + 1,
          attempt_number = jobs.attempt_number + 1, started_at = at, updated_at = at, finished_at = null
        from unnest(chosen, names) with ordinality as pick(seq, name, nth)
        join queuectl.jobs as waited on waited.seq = pick.seq
        where jobs.seq = pick.seq
        returning jobs.*, pick.nth, waited.state as state_before
      ),
      counted as (
        insert into queuectl.count_changes (queue, state, jobs, ms)
        select taken.queue, side.state, sum(side.jobs), sum(side.jobs * queuectl.ms(taken.last_duration))
        from taken cross join lateral (values (state_before, -1), ('processing', 1)) as side(state, jobs)
        group by taken.queue, side.state
      )
      select null::json, taken.seq, taken.id, taken.command, taken.attempts, taken.attempt_number, taken.max_retries, taken.priority,
        taken.timeout, taken.queue, taken.tags, taken.cwd, taken.env, taken.rules, taken.key, taken.run_at, taken.created_at,
        taken.started_at, taken.last_exit_code, taken.last_error, taken.last_duration, taken.worker_id, taken.lease_seq,
        taken.lost_in_row, place
      from taken order by nth;
      if has_queues then perform queuectl.record_starts(chosen, at); end if;
    end if;
    if wanted ->> 'only' is not null then
      -- One that is due and was not claimed waits for room, and that has a moment only where a rate keeps it.
      due := coalesce(
        (select next_run_at from queuectl.jobs where jobs.seq = (wanted ->> 'only')::bigint and next_run_at > at),
        (
          select queuectl.rate_opens_at(queues.queue, rate_starts, rate_ms, at)
          from queuectl.jobs join queuectl.queues on queues.queue = jobs.queue and rate_starts is not null
          where jobs.seq = (wanted ->> 'only')::bigint and next_run_at <= at
        )
      );
    elsif cardinality(chosen) < cardinality(names) then
      due := queuectl.next_due_at(waiting_queues);
      if rooms <> '{}' then
        due := least(due, (
          select min(queuectl.rate_opens_at(queues.queue, rate_starts, rate_ms, at)) from queuectl.queues
          where queues.queue = any(open_queues) and rate_starts is not null
            and exists (select from queuectl.jobs where jobs.queue = queues.queue and ready)
        ));
      end if;
      -- Others hold what stands in line for the length of a transaction; some of it may be left over then.
      crowded := not expelled and (crowded or exists (
        select from unnest(open_queues) as open(queue)
        where exists (select from queuectl.jobs where jobs.queue = open.queue and ready) and (
          rooms ->> open.queue is null
          or (rooms ->> open.queue)::bigint > (
            select count(*) from queuectl.jobs where jobs.seq = any(chosen) and jobs.queue = open.queue
          )
        )
      ));
    end if;
  end if;
  if has_queues then
    -- Others may start what there is room for now.
    freed := exists (
      select from (
        select jobs.queue from queuectl.jobs
        cross join lateral (values (settled, 1), (chosen, -1)) as side(seqs, ended)
        where jobs.seq = any(settled || chosen) and jobs.seq = any(side.seqs)
        group by jobs.queue having sum(side.ended) > 0
      ) as ended
      join queuectl.queues on queues.queue = ended.queue and concurrency is not null
    );
  end if;
  if queuectl.is_time_to_add_up() then perform queuectl.add_up(); end if;
  answer := json_build_object(
    'at', at, 'settled', settled, 'settled_at', settled_at, 'turned', turned, 'due', due, 'crowded', crowded, 'freed', freed, 'expelled', expelled,
    'told', told is not null
  );
  return next;
end
$$;
