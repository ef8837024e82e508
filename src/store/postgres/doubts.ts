// What is not known of turns whose answer never came: whether they settled what they should, and what they claimed. Such a turn begins
// no more once nobody waits for it, which `queuectl.exchange` sees to; but it may be under way for as long as a statement may take.

import type { Lease, Settlement } from "../../domain/lease.ts";
import { statementMs } from "./connection.ts";

export interface Doubts {
  /** A turn with these settlements, which wanted jobs for these workers, was not answered. */
  add(ended: readonly Settlement[], worker_ids: readonly string[]): void;
  /** Whether such a turn may have settled this. */
  mayBeSettled(lease: Lease): boolean;
  forget(lease: Lease): void;
  /**
   * Which of these workers, or of all, may hold a job unheard of; `done` says that they were looked at, and nothing came of it that is
   * lost.
   */
  look(worker_ids?: readonly string[]): { readonly worker_ids: readonly string[]; done(): void };
}

const keyOf = ({ job_seq, lease_seq }: Lease) => `${job_seq} ${lease_seq}`;

export function makeDoubts(): Doubts {
  const settlements = new Set<string>();
  /** Until when a claim for a worker may still be under way. */
  const claims = new Map<string, number>();

  return {
    add(ended, worker_ids) {
      for (const { lease } of ended) settlements.add(keyOf(lease));
      for (const id of worker_ids) claims.set(id, performance.now() + statementMs);
    },
    mayBeSettled: (lease) => settlements.has(keyOf(lease)),
    forget(lease) {
      if (settlements.size > 0) settlements.delete(keyOf(lease));
    },
    look(worker_ids = [...claims.keys()]) {
      const lookedAt = performance.now();
      const doubtful = worker_ids.filter((id) => claims.has(id));
      return {
        worker_ids: doubtful,
        done() {
          for (const id of doubtful) if (claims.get(id)! < lookedAt) claims.delete(id);
        },
      };
    },
  };
}
