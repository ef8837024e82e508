// Jobs in SQLite: stored, looked up, changed by a user's word, and removed when their time is up. Only what stores them is loaded at
// once: an enqueue does without the rest.

import type { Jobs } from "../jobs.ts";
import type { Connection } from "./connection.ts";
import { enqueueing } from "./enqueue.ts";

export function jobs(connection: Connection): Jobs {
  const lookup = () => (require("./lookup.ts") as typeof import("./lookup.ts")).lookup(connection);
  const changes = () => (require("./changes.ts") as typeof import("./changes.ts")).changes(connection);
  const pruning = () => (require("./prune.ts") as typeof import("./prune.ts")).pruning(connection);

  return {
    ...enqueueing(connection),

    find: (idOrPrefix) => lookup().find(idOrPrefix),
    history: (idOrPrefix) => lookup().history(idOrPrefix),
    named: (idOrPrefix) => lookup().named(idOrPrefix),
    list: (filter, page) => lookup().list(filter, page),
    following: (seq, limit) => lookup().following(seq, limit),
    states: (seqs) => lookup().states(seqs),
    relatives: (seq, limit) => lookup().relatives(seq, limit),
    attempts: (seq) => lookup().attempts(seq),

    cancel: (seqs) => changes().cancel(seqs),
    hold: (seqs) => changes().hold(seqs),
    release: (seqs) => changes().release(seqs),
    edit: (seq, edit) => changes().edit(seq, edit),
    retry: (seqs, only) => changes().retry(seqs, only),
    retryEdited: (seq, edit) => changes().retryEdited(seq, edit),
    delete: (seqs, only) => changes().delete(seqs, only),

    prune: (before, limit, states) => pruning().prune(before, limit, states),
    finishedBefore: (before, state) => pruning().finishedBefore(before, state),
  };
}
