// What commands print, in PostgreSQL: pieces in the order they came, and one for what was left out.

import type { SQL } from "bun";
import { Refusal } from "../../domain/errors.ts";
import type { Stream } from "../../domain/rules.ts";
import type { Output } from "../store.ts";
import type { Connection } from "./connection.ts";

/** A stream is stored as its file descriptor. */
export const descriptorOf = (stream: Stream) => (stream === "stdout" ? 1 : 2);
export const streamOf = (descriptor: number): Stream => (descriptor === 1 ? "stdout" : "stderr");

export function output({ ask }: Connection, queue: string): Output {
  return {
    queue,

    append: ({ job_seq, lease_seq }, { stream, start, bytes }, gap) =>
      ask(async (sql) => {
        const [{ size }] = await sql`
          select queuectl.add_output(
            ${job_seq}, ${lease_seq}, ${descriptorOf(stream)}::smallint, ${start}, ${Buffer.from(bytes)}, ${gap?.from ?? null}, ${gap?.to ?? null}
          ) as size
        `;
        return size === null ? null : Number(size);
      }),

    size: ({ job_seq, attempt, stream }) =>
      ask(async (sql) => {
        const [{ size }] = await sql`
          select queuectl.output_size(${job_seq}, ${attempt}, ${descriptorOf(stream)}::smallint) as size
        `;
        return Number(size);
      }),

    gap: ({ job_seq, attempt, stream }) =>
      ask(async (sql) => {
        const [gap] = await sql`
          select start, left_out from queuectl.output
          where job_seq = ${job_seq} and attempt = ${attempt} and stream = ${descriptorOf(stream)} and left_out > 0
        `;
        return gap ? { from: Number(gap.start), to: Number(gap.start) + Number(gap.left_out) } : null;
      }),

    read: ({ job_seq, attempt, stream }, from, limit) =>
      ask(async (sql) => {
        // The piece in which the place lies, and those that begin in what is wanted, up to the gap.
        const [found] = await sql`
          with own as not materialized (
            select start, bytes, left_out from queuectl.output
            where job_seq = ${job_seq} and attempt = ${attempt} and stream = ${descriptorOf(stream)}
          ),
          place as materialized (
            select case when left_out > 0 then greatest(start + left_out, ${from}) else ${from} end as at
            from (select start, left_out from own where start <= ${from} order by start desc limit 1) as piece
          )
          select at, (
            select substring(string_agg(bytes, ''::bytea order by start) from (at - min(start))::integer + 1 for ${limit})
            from own
            where left_out = 0 and start < at + ${limit}
              and start >= (select start from own where start <= at order by start desc limit 1)
              and start < coalesce((select start from own where left_out > 0 and start >= at), at + ${limit})
          ) as bytes
          from place
        `;
        return { start: Number(found?.at ?? from), bytes: found?.bytes ?? new Uint8Array() };
      }),
  };
}

/** In the transaction that removes jobs: their output is to be removed, too. */
export async function giveUpOutput(tx: SQL, seqs: readonly number[]): Promise<void> {
  await tx`
    insert into queuectl.removed_output (job_seq)
    select seq from unnest(${tx.array([...seqs], "BIGINT")}) as seq
    where exists (select from queuectl.output where output.job_seq = seq)
  `;
}

/** Removed in one statement at most: pieces, of a quarter of a megabyte or less, and jobs. */
const sweptPieces = 200;
const sweptJobs = 500;

/**
 * Removes the output of jobs that are no more, whoever removed them. In small steps, because the server takes eight seconds for a
 * gigabyte. What trouble leaves here is left to the next sweep.
 */
export async function sweepOutput({ ask }: Connection): Promise<void> {
  for (let found = 1; found > 0; ) {
    try {
      found = await ask(async (sql) => Number((await sweepSome(sql))[0].found));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return;
    }
  }
}

const sweepSome = (sql: SQL) => sql`
  with gone as materialized (
    select job_seq from queuectl.removed_output order by job_seq limit ${sweptJobs} for update skip locked
  ),
  pieces as materialized (
    select piece.* from gone cross join lateral (
      select job_seq, attempt, stream, start from queuectl.output where output.job_seq = gone.job_seq limit ${sweptPieces}
    ) as piece
    limit ${sweptPieces}
  ),
  swept as (
    delete from queuectl.output using pieces
    where output.job_seq = pieces.job_seq and output.attempt = pieces.attempt
      and output.stream = pieces.stream and output.start = pieces.start
  ),
  closed as (
    delete from queuectl.removed_output using gone
    where removed_output.job_seq = gone.job_seq and (select count(*) from pieces) < ${sweptPieces}
  )
  select count(*) as found from gone
`;
