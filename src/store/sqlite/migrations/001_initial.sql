-- Jobs, their attempts, the workers that run them, and what is counted about them.
-- Moments are milliseconds since 1970; keys are those of a job's JSON.

create table jobs (
  seq integer primary key autoincrement,
  id text not null unique,
  command text not null,
  state text not null check (state in ('pending', 'processing', 'completed', 'failed', 'dead', 'cancelled')),
  -- 1 while the job waits, nothing holds it back and its moment has come: only such rows are in the way of a claim.
  ready integer not null check (ready in (0, 1)),
  attempts integer not null default 0,
  attempt_number integer not null default 0,
  max_retries integer not null,
  priority integer not null,
  timeout real not null,
  queue text not null,
  tags text not null,
  cwd text not null,
  env text not null,
  -- What else was said of how it is run and judged, as JSON.
  rules text not null default '{}',
  -- What holds a waiting job back: a user's word, its key that another one runs under, parents that are not settled.
  held integer not null default 0 check (held in (0, 1)),
  key text,
  -- Whoever enqueues another job with the same one gets the one that is not settled.
  unique_key text,
  parked integer not null default 0 check (parked in (0, 1)),
  unmet integer not null default 0,
  run_at integer not null,
  -- Null when the job does not wait, and when it is held back.
  next_run_at integer,
  created_at integer not null,
  updated_at integer not null,
  started_at integer,
  finished_at integer,
  last_exit_code integer,
  last_error text,
  last_duration real,
  worker_id text,
  lease_seq integer not null default 0,
  lost_in_row integer not null default 0,
  -- For how many milliseconds the command that runs has asked to be put off.
  snooze integer,
  cancel_requested_at integer
) strict;

create index jobs_ready on jobs (queue, priority desc, seq) where ready = 1;
create index jobs_waiting on jobs (queue, next_run_at) where ready = 0 and next_run_at is not null;
create index jobs_by_state on jobs (queue, state, seq);
create index jobs_finished on jobs (state, finished_at) where state in ('completed', 'dead', 'cancelled');
create index jobs_held on jobs (worker_id) where worker_id is not null;

create index jobs_held_back on jobs (queue) where held = 1;

-- Of all jobs with one key one runs at a time. Those that a claim met meanwhile are parked, so that no claim meets them again.
create unique index jobs_key_running on jobs (key) where state = 'processing' and key is not null;
create index jobs_key_ready on jobs (key) where ready = 1 and key is not null;
create index jobs_parked on jobs (key, queue, priority desc, seq) where parked = 1;

-- When a job lets go of its key, or one that was next in turn is not any more, the first parked one of each queue is ready again,
-- whatever it was that happened: it may be that not all queues run.
create trigger key_let_go after update of state, ready, key, queue, priority on jobs
when old.key is not null and (
  old.state = 'processing' and new.state <> 'processing'
  or old.ready = 1 and new.parked = 0 and (
    new.ready = 0 and new.state <> 'processing' or new.key is not old.key or new.queue <> old.queue or new.priority < old.priority
  )
)
begin
  update jobs set parked = 0, ready = 1, next_run_at = new.updated_at where seq in (
    with recursive queues(name) as (
      select min(queue) from jobs where key = old.key and parked = 1
      union all
      select (select min(queue) from jobs where key = old.key and parked = 1 and queue > queues.name) from queues
      where queues.name is not null
    )
    select (
      select seq from jobs where key = old.key and queue = queues.name and parked = 1 order by priority desc, seq limit 1
    ) from queues
  );
end;

create trigger key_deleted after delete on jobs when old.key is not null and (old.state = 'processing' or old.ready = 1)
begin
  update jobs set parked = 0, ready = 1, next_run_at = old.updated_at where seq in (
    with recursive queues(name) as (
      select min(queue) from jobs where key = old.key and parked = 1
      union all
      select (select min(queue) from jobs where key = old.key and parked = 1 and queue > queues.name) from queues
      where queues.name is not null
    )
    select (
      select seq from jobs where key = old.key and queue = queues.name and parked = 1 order by priority desc, seq limit 1
    ) from queues
  );
end;

-- Which jobs come after which: `waits` as long as the child, which is pending then, waits for the parent. Jobs count theirs in `unmet`.
create table dependencies (
  child integer not null,
  parent integer not null,
  if_fails text not null check (if_fails in ('cancel', 'wait', 'run')),
  waits integer not null check (waits in (0, 1)),
  primary key (child, parent)
) strict, without rowid;

create index dependencies_of_parent on dependencies (parent, child);
create index dependencies_waiting on dependencies (parent, child) where waits = 1;

create index jobs_unique on jobs (unique_key, seq) where unique_key is not null;
create index jobs_unique_unsettled on jobs (unique_key, seq)
where unique_key is not null and state in ('pending', 'processing', 'failed');

create table job_tags (
  tag text not null,
  seq integer not null,
  primary key (tag, seq)
) strict, without rowid;

create table attempts (
  job_seq integer not null,
  number integer not null,
  result text,
  worker_id text not null,
  host text not null,
  pid integer,
  pid_start text,
  started_at integer not null,
  finished_at integer,
  duration real,
  exit_code integer,
  signal text,
  error text,
  note text,
  cpu_time real,
  peak_memory integer,
  log_bytes integer not null default 0,
  log_truncated integer not null default 0,
  log_left_out integer default 0,
  primary key (job_seq, number)
) strict, without rowid;

create table worker_processes (
  process_id integer primary key autoincrement,
  host text not null,
  boot_id text not null,
  pid_namespace text not null,
  pid integer not null,
  pid_start text not null,
  home text not null,
  version text not null,
  queues text,
  started_at integer not null,
  heartbeat_at integer not null
) strict;

create table workers (
  id text primary key,
  process_id integer not null,
  -- Stays with the worker when another process takes it over.
  journal text not null,
  stop_order text check (stop_order in ('finish', 'release', 'leave'))
) strict, without rowid;

create index workers_of_process on workers (process_id);

create table settings (
  key text primary key,
  value text not null
) strict, without rowid;

-- Queues of which something was said; any other is neither paused nor limited.
create table queues (
  queue text primary key,
  paused_at integer,
  -- How many of its jobs may run at once.
  concurrency integer,
  -- How many may start within how many milliseconds.
  rate_starts integer,
  rate_ms integer
) strict, without rowid;

-- How many jobs of a queue with a rate started lately: those of one row from `began_at` until before `ends_at`,
-- a thousandth of the time of the rate that the queue had then.
create table queue_starts (
  queue text not null,
  began_at integer not null,
  ends_at integer not null,
  jobs integer not null,
  primary key (queue, ends_at)
) strict, without rowid;

-- How many jobs are present, by queue and state, and the milliseconds of their last attempts.
create table counts (
  queue text not null,
  state text not null,
  jobs integer not null,
  ms integer not null,
  primary key (queue, state)
) strict, without rowid;

-- What ever happened; does not fall when jobs are removed.
create table totals (
  name text primary key,
  value integer not null
) strict, without rowid;

-- Runs that completed and failed, by the minute and by the hour (width in milliseconds), as long as charts look back.
create table run_buckets (
  width integer not null,
  start integer not null,
  completed integer not null,
  failed integer not null,
  primary key (width, start)
) strict, without rowid;

-- How long the last day's runs took: how many fell into each bin of durations, by the hour.
create table run_durations (
  hour integer not null,
  bin integer not null,
  runs integer not null,
  primary key (hour, bin)
) strict, without rowid;

create table schedules (
  name text primary key,
  cron text not null,
  tz text not null,
  missed text not null check (missed in ('skip', 'one', 'all')),
  overlap text not null check (overlap in ('skip', 'queue', 'replace')),
  jitter real not null,
  -- What becomes of each time, as JSON.
  job text not null,
  paused integer not null default 0 check (paused in (0, 1)),
  next_at integer,
  last_at integer,
  missed_at integer,
  skipped_at integer,
  last_job_seq integer,
  created_at integer not null,
  updated_at integer not null
) strict, without rowid;

create index schedules_due on schedules (next_at) where next_at is not null;

-- Which jobs came from which schedule and for which time, null by hand: no time twice.
create table schedule_runs (
  job_seq integer primary key,
  schedule text not null,
  at integer
) strict;

create unique index schedule_runs_once on schedule_runs (schedule, at) where at is not null;
create index schedule_runs_newest on schedule_runs (schedule, job_seq);

-- Who is to be told of what, and by which way.
create table alerts (
  name text primary key,
  -- A JSON array of words.
  events text not null,
  queue text,
  tag text,
  longer_than real,
  more_than integer,
  older_than real,
  gather real not null,
  channel text not null check (channel in ('webhook', 'slack', 'email', 'command')),
  target text not null,
  secret text,
  cwd text,
  paused integer not null default 0 check (paused in (0, 1)),
  created_at integer not null,
  updated_at integer not null
) strict, without rowid;

-- What alerts are to tell of, written in the transaction in which it happens; until it is part of a message.
create table outbox (
  id text primary key,
  alert text not null,
  event text not null,
  happened_at integer not null,
  -- It stands for so many things.
  count integer not null default 1,
  -- A job's row, or a queue that backs up, as JSON.
  about text not null
) strict;

create index outbox_of_alert on outbox (alert, event, happened_at, id);

-- Messages of alerts, until some time after they were delivered or given up.
create table deliveries (
  id text primary key,
  alert text not null,
  event text not null,
  message text not null,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'given_up')),
  created_at integer not null,
  -- When it is tried next, unless the process that tries it now says otherwise before.
  due_at integer,
  tries integer not null default 0,
  tried_at integer,
  answer text
) strict;

create index deliveries_due on deliveries (due_at) where due_at is not null;
create index deliveries_of_alert on deliveries (alert, created_at);

-- What stands and was told of: a queue above an alert's line, a run that is slow.
create table alert_marks (
  alert text not null,
  mark text not null,
  primary key (alert, mark)
) strict, without rowid;
