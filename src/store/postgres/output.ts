// What commands print, in PostgreSQL: pieces in the order they came.

import type { Output } from "../store.ts";
import type { Connection } from "./connection.ts";

export function output({ ask }: Connection, queue: string): Output {
  return {
    queue,

    append: ({ job_seq, lease_seq }, { start, bytes }) =>
      ask(async (sql) => {
        const [{ size }] = await sql`
          select queuectl.add_output(${job_seq}, ${lease_seq}, ${start}, ${Buffer.from(bytes)}) as size
        `;
        return size === null ? null : Number(size);
      }),

    size: (job_seq, attempt) =>
      ask(async (sql) => {
        const [{ size }] = await sql`select queuectl.output_size(${job_seq}, ${attempt}) as size`;
        return Number(size);
      }),

    read: (job_seq, attempt, from, limit) =>
      ask(async (sql) => {
        // The piece in which the place lies, and those that begin in what is wanted.
        const [{ bytes }] = await sql`
          select substring(string_agg(bytes, ''::bytea order by start) from (${from} - min(start))::integer + 1 for ${limit}) as bytes
          from queuectl.output
          where job_seq = ${job_seq} and attempt = ${attempt} and start < ${from + limit} and start >= coalesce((
            select max(start) from queuectl.output
            where job_seq = ${job_seq} and attempt = ${attempt} and start <= ${from}
          ), 0)
        `;
        return bytes ?? new Uint8Array();
      }),
  };
}
