create function queuectl.output_size(job bigint, number integer, descriptor smallint) returns bigint language sql stable
set enable_seqscan = off set jit = off
as $$
  select coalesce((
    select start + length(bytes) + left_out from queuectl.output
    where job_seq = job and attempt = number and stream = descriptor order by start desc limit 1
  ), 0)
$$;

-- Removes what there is of a gap from an attempt's output, as store.ts says of `append`.
create function queuectl.leave_out(job bigint, number integer, descriptor smallint, gap_from bigint, gap_to bigint) returns void
language plpgsql
set enable_seqscan = off set jit = off
as $$
begin
  if queuectl.output_size(job, number, descriptor) < gap_from or exists (
    select from queuectl.output
    where job_seq = job and attempt = number and stream = descriptor and left_out > 0
      and (start < gap_from or start + left_out > gap_to or left_out = gap_to - gap_from)
  ) then
    return;
  end if;
  -- Of a piece that the gap begins or ends in, the other part stays.
  insert into queuectl.output (job_seq, attempt, stream, start, bytes)
  select job_seq, attempt, stream, gap_to, substring(bytes from (gap_to - start)::integer + 1) from queuectl.output
  where job_seq = job and attempt = number and stream = descriptor
    and start < gap_to and start + length(bytes) > gap_to;
  update queuectl.output set bytes = substring(bytes for (gap_from - start)::integer)
  where job_seq = job and attempt = number and stream = descriptor
    and start < gap_from and start + length(bytes) > gap_from;
  delete from queuectl.output
  where job_seq = job and attempt = number and stream = descriptor and start >= gap_from and start < gap_to;
  insert into queuectl.output (job_seq, attempt, stream, start, bytes, left_out)
  values (job, number, descriptor, gap_from, '', gap_to - gap_from);
end
$$;

-- Adds what the attempt that runs by a lease printed from a byte on, as store.ts says of `append`.
create function queuectl.add_output(
  job bigint, lease bigint, descriptor smallint, first_byte bigint, piece bytea, gap_from bigint default null, gap_to bigint default null
) returns bigint language plpgsql
set enable_seqscan = off set jit = off
as $$
declare
  number integer;
  size bigint;
begin
  -- Locked, so that neither a take-over nor the same piece again comes in between.
  select attempt_number into number from queuectl.jobs
  where seq = job and lease_seq = lease and state = 'processing' for no key update;
  if not found then return null; end if;
  if gap_to is not null then perform queuectl.leave_out(job, number, descriptor, gap_from, gap_to); end if;
  size := queuectl.output_size(job, number, descriptor);
  if first_byte <= size and first_byte + length(piece) > size then
    insert into queuectl.output (job_seq, attempt, stream, start, bytes)
    values (job, number, descriptor, size, substring(piece from (size - first_byte)::integer + 1));
    size := first_byte + length(piece);
  end if;
  return size;
end
$$;
