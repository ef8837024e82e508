// The middle of a job's life in PostgreSQL: claimed, running, settled. All of a worker process's turn is one statement and one round
// trip, by the function `queuectl.exchange` of the schema.

import { ignoreRefusal } from "../../domain/errors.ts";
import type { ClaimedJob, Lease, Settlement } from "../../domain/lease.ts";
import type { OutcomeSettings } from "../../domain/outcome.ts";
import type { StopOrder } from "../../domain/worker.ts";
import {
  givenOf,
  type Leases,
  type Turn,
  type TurnResult,
  type Unreadable,
  unreadableIn,
} from "../leases.ts";
import { type JobRow, jobFrom, legibleJob } from "../rows.ts";
import { refuseSnooze } from "../snoozes.ts";
import type { Connection } from "./connection.ts";
import { makeDoubts } from "./doubts.ts";
import { storing } from "./enqueue.ts";
import { type Answer, exchanging, takeTurn } from "./exchange.ts";
import { type GivenRow, makeGivenOut } from "./given-out.ts";
import type { Notifier } from "./notify.ts";
import { jobRow, type Row } from "./rows.ts";
import { type Known, once, restsOf, settledBy, wordOn } from "./settling.ts";
import { taking } from "./taking.ts";
import { isInDoubt } from "./trouble.ts";

/** How long others may hold jobs that they do not take in the end: as long as a transaction. */
const crowdedMs = 2;

export function leases(connection: Connection, notifier: Notifier): Leases {
  const { ask, write, at, plainly } = connection;
  const answerTo = exchanging(connection);
  const given = makeGivenOut(connection);
  const doubts = makeDoubts();
  /** Jobs that workers of this process have claimed and nobody can run, until that is settled. */
  const unreadable = new Set<Unreadable>();

  async function exchange(turn: Turn): Promise<TurnResult> {
    if (turn.started.length === 0 && turn.ended.length === 0 && !turn.wanted) return nothing;
    const ended = once(turn.ended);
    const rows = await given.rowsOf(ended);
    const known = ended.flatMap((settlement, place): Known[] => {
      const row = rows[place];
      return row ? [{ settlement, row, word: wordOn(settlement, row, turn.settings) }] : [];
    });
    const settlements = known.map(({ settlement }) => settlement);
    let answer: Answer | undefined;
    let claimedRows: GivenRow[];
    let before: JobRow[] = [];
    try {
      ({ answer, claimed: claimedRows } = await answerTo({
        ...listed(
          "started",
          turn.started.map(({ lease, ...started }) => ({ ...lease, ...started })),
        ),
        ...listed(
          "ended",
          known.map(({ word }) => word),
        ),
        ...listed("output", restsOf(settlements)),
        wanted: turn.wanted,
      }));
      if (answer.settled.length < known.length) {
        const good = new Set(answer.settled);
        const stale = settlements.map(({ lease }) => lease).filter(({ job_seq }) => !good.has(job_seq));
        before = await settledBefore(stale.filter(doubts.mayBeSettled));
      }
    } catch (error) {
      if (answer || isInDoubt(error)) doubts.add(settlements, turn.wanted?.worker_ids ?? []);
      throw plainly(error);
    }
    const settled = new Map([...before, ...settledBy(known, answer)].map((row) => [row.seq, row]));
    for (const { lease } of ended) {
      doubts.forget(lease);
      given.forget(lease);
    }
    const claimed = handOn(claimedRows);
    if (answer.settled.length > 0 || claimed.length > 0) notifier.say("news");
    // What waits again may be for others to run: this process may be about to go.
    const goesOn = ({ next_run_at, key }: JobRow) => next_run_at !== null || key !== null;
    if (answer.freed || answer.told || settled.values().some(goesOn)) notifier.say("work");
    const done = new Set<Settlement>();
    for (const settlement of settlements) if (settled.has(settlement.lease.job_seq)) done.add(settlement);
    return {
      stale: turn.ended.filter((settlement) => !done.has(settlement)).map(({ lease }) => lease),
      settled: [...done].map(({ lease }) => legibleJob(settled.get(lease.job_seq)!)),
      claimed,
      next_due_at: claimed.length < claimedRows.length ? answer.at : nextDueAt(turn, claimed.length, answer),
      ...(answer.expelled ? { expelled: true } : {}),
    };
  }

  return {
    ...taking(connection, given.give),

    async enqueueFor(worker_id, job) {
      const stored = await storing(connection, job, async (tx, { row, isNew }) => {
        const wanted = { worker_ids: [worker_id], queues: null, only: row.seq };
        // One that was there already and cannot be read is refused before it is this worker's.
        const known = jobFrom(row);
        return { known, isNew, rows: (await takeTurn(connection, tx, { wanted }, null)).claimed };
      });
      const [claimed] = stored.rows.map(given.give);
      if (claimed) notifier.say("news");
      else if (stored.isNew) notifier.say("work");
      return { job: stored.known, claimed: claimed ?? null };
    },

    async exchange(turn) {
      // Whoever wants no more, because it is about to go, has to hear of what it holds all the more.
      const look = doubts.look(turn.wanted?.worker_ids);
      const unheard = await given.unheard(look.worker_ids);
      const result = await exchange(unheard.length > 0 ? { ...turn, wanted: null } : turn);
      look.done();
      const heard = unheard.length > 0 ? { claimed: handOn(unheard), next_due_at: null } : {};
      return { ...result, ...heard, ...(await endUnreadable(turn.settings)) };
    },

    snooze: (job_seq, attempt, ms) =>
      write(async (tx) => {
        const [row] = await tx`select * from queuectl.jobs where seq = ${job_seq} for no key update`;
        const [{ times }] = await tx`
          select count(*) as times from queuectl.attempts
          where job_seq = ${job_seq} and result = 'snoozed' and number > coalesce(
            (select max(number) from queuectl.attempts where job_seq = ${job_seq} and result <> 'snoozed'), 0
          )
        `;
        refuseSnooze(row ? jobRow(row) : null, attempt, Number(times));
        await tx`update queuectl.jobs set snooze = ${ms}::bigint where seq = ${job_seq}`;
      }),

    orders: (process_id) =>
      ask(async (sql) => {
        const [stops, cancels] = await Promise.all([
          sql`select id, stop_order from queuectl.workers where process_id = ${process_id} and stop_order is not null`,
          sql`
            select jobs.seq as job_seq, jobs.lease_seq from queuectl.workers join queuectl.jobs on jobs.worker_id = workers.id
            where workers.process_id = ${process_id} and jobs.cancel_requested_at is not null
          `,
        ]);
        return {
          stop: new Map<string, StopOrder>(stops.map((row: Row) => [row.id, row.stop_order])),
          cancel: cancels.map((row: Row) => ({
            job_seq: Number(row.job_seq),
            lease_seq: Number(row.lease_seq),
          })),
        };
      }, "soon"),

    async mendRetries(setBackMs = 0) {
      const back = Math.round(setBackMs);
      await ask(
        (sql) => sql`
          update queuectl.jobs set
            next_run_at = least(next_run_at - ${back}::bigint, now + next_run_at - finished_at),
            finished_at = least(finished_at - ${back}::bigint, now)
          from coalesce(${at()}::bigint, queuectl.now_ms()) as now
          where queue in (select queue from queuectl.all_counts where state = 'failed' group by queue having sum(jobs) > 0)
            and state = 'failed' and finished_at > now
        `,
      );
      // All that wait for a moment are looked through for those that were put off, which only a step of the clock is worth.
      if (back <= 0) return;
      await ask(
        (sql) => sql`
          update queuectl.jobs set
            next_run_at = least(next_run_at - ${back}::bigint, now + next_run_at - updated_at), updated_at = now
          from coalesce(${at()}::bigint, queuectl.now_ms()) as now
          where queue in (select queue from queuectl.all_counts where state = 'pending' group by queue having sum(jobs) > 0)
            and not ready and next_run_at > greatest(now, run_at) and state = 'pending' and attempt_number > 0 and updated_at > now
        `,
      );
    },
  };

  function handOn(rows: readonly GivenRow[]): ClaimedJob[] {
    const found = givenOf(rows, given.give);
    for (const settlement of found.unreadable) unreadable.add(settlement);
    return [...found.claimed];
  }

  /** What was claimed beside them has to be handed on, whatever the database says; they are settled after a later turn then. */
  async function endUnreadable(settings: OutcomeSettings): Promise<Pick<TurnResult, "unreadable">> {
    if (unreadable.size === 0) return {};
    const ended = [...unreadable];
    try {
      const { settled } = await exchange({ started: [], ended, settings, wanted: null });
      for (const one of ended) unreadable.delete(one);
      return unreadableIn(ended, settled);
    } catch (error) {
      ignoreRefusal(error);
      return {};
    }
  }

  /** Of leases that a turn without an answer has settled: the jobs as they are now. */
  async function settledBefore(stale: readonly Lease[]): Promise<JobRow[]> {
    if (stale.length === 0) return [];
    const rows: Row[] = await ask(
      (sql) => sql`
        select jobs.* from queuectl.jobs
        join jsonb_to_recordset(${stale}::jsonb) as lease(job_seq bigint, lease_seq bigint)
          on jobs.seq = lease.job_seq and jobs.lease_seq = lease.lease_seq
        where state <> 'processing'
      `,
    );
    return rows.map(jobRow);
  }
}

const nothing: TurnResult = { stale: [], settled: [], claimed: [], next_due_at: null };

/** Without a key for what there is none of. */
const listed = (key: string, list: readonly object[]) => (list.length > 0 ? { [key]: list } : {});

function nextDueAt({ wanted }: Turn, claimed: number, { at, due, crowded }: Answer): number | null {
  if (!wanted || claimed >= wanted.worker_ids.length) return null;
  return crowded ? at + crowdedMs : due;
}
