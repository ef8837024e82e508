// Jobs are changed in PostgreSQL by a user's word, all that are named or none.

import type { SQL } from "bun";
import { isSettled } from "../../domain/job.ts";
import type { Changes } from "../jobs.ts";
import { jobIsGone, refuseUnless, refuseUnlessHeld, refuseUnlessWaiting, wrongState } from "../refusals.ts";
import type { JobRow } from "../rows.ts";
import { makePending, markCancelled, remove } from "./change-steps.ts";
import type { Connection } from "./connection.ts";
import { rewrite } from "./edit.ts";
import { holdBack, letGo } from "./held.ts";
import type { Notifier } from "./notify.ts";
import { sweepOutput } from "./output.ts";
import { jobRow, type Row } from "./rows.ts";

export function changes(connection: Connection, notifier: Notifier): Changes {
  const { write } = connection;

  /** Changes jobs by their numbers, all or none, and tells of it. */
  async function change<T>(work: (tx: SQL) => Promise<T>): Promise<T> {
    const done = await write(work);
    notifier.say("work");
    return done;
  }

  /** After jobs their output. */
  async function sweptAfter<T>(removal: Promise<T>): Promise<T> {
    const done = await removal;
    await sweepOutput(connection);
    return done;
  }

  return {
    cancel: (seqs) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) if (isSettled(row.state)) throw wrongState(row, "cannot be cancelled");
        return markCancelled(connection, tx, rows);
      }),

    hold: (seqs) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) refuseUnlessWaiting(row, "held");
        return holdBack(connection, tx, rows);
      }),

    release: (seqs) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) refuseUnlessHeld(row);
        return letGo(connection, tx, rows);
      }),

    edit: (seq, edit) =>
      change(async (tx) => {
        const [row] = await lockedRows(tx, [seq]);
        refuseUnlessWaiting(row!, "edited");
        return rewrite(connection, tx, row!, edit);
      }),

    retry: (seqs, only) =>
      change(async (tx) => {
        const rows = await lockedRows(tx, seqs);
        for (const row of rows) refuseUnless(row, only, "retried");
        return makePending(connection, tx, rows);
      }),

    retryEdited: (seq, edit) =>
      change(async (tx) => {
        const [dead] = await lockedRows(tx, [seq]);
        refuseUnless(dead!, "dead", "retried");
        await makePending(connection, tx, [dead!]);
        const [row] = await lockedRows(tx, [seq]);
        return rewrite(connection, tx, row!, edit);
      }),

    delete: (seqs, only) =>
      sweptAfter(
        change(async (tx) => {
          const rows = await lockedRows(tx, seqs);
          for (const row of rows) refuseUnless(row, only, "deleted");
          return remove(connection, tx, rows);
        }),
      ),
  };
}

/** The jobs in the order asked for, each once, locked in the order of their numbers. */
async function lockedRows(tx: SQL, seqs: readonly number[]): Promise<JobRow[]> {
  const wanted = [...new Set(seqs)];
  const rows: Row[] = await tx`
    select * from queuectl.jobs where seq = any(${tx.array(wanted, "BIGINT")}) order by seq for update
  `;
  const found = new Map(rows.map(jobRow).map((row) => [row.seq, row]));
  return wanted.map((seq) => {
    const row = found.get(seq);
    if (!row) throw jobIsGone();
    return row;
  });
}
