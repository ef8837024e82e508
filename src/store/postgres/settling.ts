// What becomes of a turn's settlements: in words that the function `queuectl.settle` of the schema takes, and as the jobs that come of it.

import type { Settlement } from "../../domain/lease.ts";
import { isFailedRun, type Outcome, type OutcomeSettings, outcomeOf } from "../../domain/outcome.ts";
import { type JobRow, runJobFrom } from "../rows.ts";
import { binOf } from "../run-bins.ts";
import type { Answer } from "./exchange.ts";
import type { GivenRow } from "./given-out.ts";
import { descriptorOf } from "./output.ts";

/** Without those that name a lease again. */
export function once(ended: readonly Settlement[]): readonly Settlement[] {
  const kept = new Map<number, Settlement[]>();
  return ended.filter((settlement) => {
    const { job_seq, lease_seq } = settlement.lease;
    const others = kept.get(job_seq);
    if (others?.some(({ lease }) => lease.lease_seq === lease_seq)) return false;
    if (others) others.push(settlement);
    else kept.set(job_seq, [settlement]);
    return true;
  });
}

/** A settlement of a job that was given out, and what is told of it. */
export interface Known {
  readonly settlement: Settlement;
  readonly row: GivenRow;
  /** As `queuectl.settle` of the schema takes it. */
  readonly word: ReturnType<typeof wordOn>;
}

/**
 * A settlement with what becomes of its job. Whether a user has asked for its end is known to the database alone. Its moments are
 * delays, in milliseconds: the database's clock decides what they count from.
 */
export function wordOn({ lease, ending, pid }: Settlement, row: GivenRow, settings: OutcomeSettings) {
  const job = runJobFrom(row);
  const dice = Math.random();
  const outcome = withDelay(outcomeOf(job, ending, settings, 0, dice));
  return {
    ...ending,
    ...outcome,
    ...lease,
    worker_id: row.worker_id,
    host: row.host,
    pid: pid ?? null,
    // One that completed did so whoever asked for its end.
    ...(outcome.state !== "completed" && {
      if_cancelled: withDelay(outcomeOf({ ...job, cancel_requested: true }, ending, settings, 0, dice)),
      runs: isFailedRun(job.rules, ending),
    }),
    bin: binOf(ending.duration),
    counted_duration: row.last_duration,
  };
}

const withDelay = (outcome: Outcome) => ({ ...outcome, delay: outcome.next_run_at });

/** The jobs that a turn has settled, as they are then. */
export function settledBy(known: readonly Known[], { settled, settled_at: at, turned }: Answer): JobRow[] {
  const good = new Set(settled);
  const other = new Map(turned?.map((row) => [row.seq, row]));
  return known.flatMap(({ row, word }) => {
    if (!good.has(row.seq)) return [];
    return (
      other.get(row.seq) ?? {
        ...row,
        state: word.state,
        attempts: word.attempts,
        lost_in_row: word.lost_in_row,
        next_run_at: word.delay === null ? null : at + word.delay,
        last_exit_code: word.last_exit_code,
        last_error: word.last_error,
        last_duration: word.last_duration,
        updated_at: at,
        finished_at: word.state === "pending" ? null : at,
        worker_id: null,
        snooze: null,
        cancel_requested_at: null,
      }
    );
  });
}

/** What is left of their output. */
export const restsOf = (ended: readonly Settlement[]) =>
  ended.flatMap(({ lease, rests = [] }) =>
    rests.map(({ stream, start, bytes }) => ({
      ...lease,
      stream: descriptorOf(stream),
      start,
      bytes: Buffer.from(bytes).toString("base64"),
    })),
  );
