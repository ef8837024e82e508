// Jobs are changed in SQLite by a user's word, all that are named or none.

import { isSettled } from "../../domain/job.ts";
import type { Changes } from "../jobs.ts";
import { jobIsGone, refuseUnless, refuseUnlessHeld, refuseUnlessWaiting, wrongState } from "../refusals.ts";
import { type JobRow, legibleJob } from "../rows.ts";
import { makePending, markCancelled, removeAll } from "./change-steps.ts";
import type { Connection } from "./connection.ts";
import { countChanges } from "./counts.ts";
import { isEnded, tellChildren } from "./dependencies.ts";

export function changes(connection: Connection): Changes {
  const { write } = connection;

  return {
    cancel: (seqs) =>
      change(connection, seqs, (row, now) => {
        if (isSettled(row.state)) throw wrongState(row, "cannot be cancelled");
        return markCancelled(connection, row, now);
      }),

    async hold(seqs) {
      const { holdBack } = await import("./held.ts");
      return change(connection, seqs, (row, now) => {
        refuseUnlessWaiting(row, "held");
        return holdBack(connection, row.seq, now);
      });
    },

    async release(seqs) {
      const { letGo } = await import("./held.ts");
      return change(connection, seqs, (row, now) => {
        refuseUnlessHeld(row);
        return letGo(connection, row.seq, now);
      });
    },

    async edit(seq, edit) {
      const { rewrite } = await import("./edit.ts");
      const [job] = await change(connection, [seq], (row, now) => {
        refuseUnlessWaiting(row, "edited");
        return rewrite(connection, row, edit, now);
      });
      return job!;
    },

    retry: (seqs, only) =>
      change(connection, seqs, (row, now) => {
        refuseUnless(row, only, "retried");
        return makePending(connection, row, now);
      }),

    async retryEdited(seq, edit) {
      const { rewrite } = await import("./edit.ts");
      const [job] = await change(connection, [seq], (row, now) => {
        refuseUnless(row, "dead", "retried");
        return rewrite(connection, makePending(connection, row, now), edit, now);
      });
      return job!;
    },

    delete: (seqs, only) =>
      write(() => {
        const rows = [...new Set(seqs)].map((seq) => rowOf(connection, seq));
        for (const row of rows) refuseUnless(row, only, "deleted");
        return removeAll(connection, rows);
      }),
  };
}

function rowOf({ sql }: Connection, seq: number): JobRow {
  const row: JobRow | null = sql("select * from jobs where seq = $seq").get({ seq });
  if (!row) throw jobIsGone();
  return row;
}

function change(connection: Connection, seqs: readonly number[], step: (row: JobRow, now: number) => JobRow) {
  return connection.write(() => {
    const now = connection.clock();
    const counts = countChanges(connection);
    const changed: JobRow[] = [];
    for (const seq of new Set(seqs)) {
      const before = rowOf(connection, seq);
      const after = step(before, now);
      counts.move(before, after);
      changed.push(after);
    }
    tellChildren(connection, changed.filter(isEnded), { counts, now });
    counts.save();
    return changed.map(legibleJob);
  });
}
