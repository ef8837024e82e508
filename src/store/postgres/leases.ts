// The middle of a job's life in PostgreSQL: claimed, running, settled. All of a worker process's turn is one statement and one round
// trip, by the function `queuectl.exchange` of the schema.

import type { SQL } from "bun";
import type { ClaimedJob, Lease, Settlement } from "../../domain/lease.ts";
import { isFailedRun, type Outcome, type OutcomeSettings, outcomeOf } from "../../domain/outcome.ts";
import type { StopOrder } from "../../domain/worker.ts";
import type { Leases, Turn, TurnResult } from "../leases.ts";
import { type JobRow, jobFrom, runJobFrom } from "../rows.ts";
import { binOf } from "../run-bins.ts";
import { refuseSnooze } from "../snoozes.ts";
import { type Connection, soonMs } from "./connection.ts";
import { keyOf, makeDoubts } from "./doubts.ts";
import type { Notifier } from "./notify.ts";
import { descriptorOf } from "./output.ts";
import { jobRow, type Row } from "./rows.ts";
import { taking } from "./taking.ts";
import { isInDoubt, isLate } from "./trouble.ts";

/** Most waiting jobs made ready in one transaction: a million that fall due at once must not hold their rows for seconds. */
const promotionBatch = 5000;

/** How long others may hold jobs that they do not take in the end: as long as a transaction. */
const crowdedMs = 2;

/** The last row that `queuectl.exchange` answers with; those before are claimed jobs. */
interface Answer {
  readonly at: number;
  /** The jobs whose leases were good. */
  readonly settled: readonly number[];
  readonly settled_at: number;
  /** Of those the ones that became something else than what was asked for: a user, or the command itself, had said so. */
  readonly turned: readonly JobRow[] | null;
  readonly due: number | null;
  /** Whether more may be claimed in a moment. */
  readonly crowded: boolean;
  /** Whether a limited queue has more room than before. */
  readonly freed: boolean;
  readonly expelled: boolean;
  /** Whether jobs waited for those that settled. */
  readonly told: boolean;
}

/** A job that was given out, and the host that it runs on. */
type HeldRow = JobRow & { readonly host: string | null };

export function leases(connection: Connection, notifier: Notifier): Leases {
  const { ask, tell, write, at, plainly, queue } = connection;
  /** What settling depends on, of the jobs that were given out here; nothing changes it while they run. */
  const held = new Map<number, HeldRow>();
  const doubts = makeDoubts();
  /** What the database's clock was when this process heard of it; that runs ahead of what follows from it, if anything. */
  let clock: { readonly now: number; readonly heardAt: number } | undefined;

  const give = (row: HeldRow): ClaimedJob => {
    held.set(row.seq, row);
    return claimedFrom(row);
  };

  /** The rows behind settlements: from memory, and from the database what was claimed elsewhere. */
  async function rowsOf(ended: readonly Settlement[]): Promise<Map<string, HeldRow>> {
    const known = new Map<string, HeldRow>();
    const missing: number[] = [];
    for (const { lease } of ended) {
      const row = held.get(lease.job_seq);
      if (row?.lease_seq === lease.lease_seq) known.set(keyOf(lease), row);
      else missing.push(lease.job_seq);
    }
    if (missing.length === 0) return known;
    const rows: Row[] = await ask(
      (sql) => sql`${heldRows(sql)} where seq = any(${sql.array(missing, "BIGINT")})`,
    );
    for (const row of rows.map(heldRow)) {
      known.set(keyOf({ job_seq: row.seq, lease_seq: row.lease_seq }), row);
    }
    return known;
  }

  /** Jobs that these workers hold by a turn whose answer never came. What they run, or have just run, was given out here. */
  async function claimedUnheard(worker_ids: readonly string[]): Promise<HeldRow[]> {
    if (worker_ids.length === 0) return [];
    const rows: Row[] = await ask(
      (sql) => sql`
        ${heldRows(sql)} where worker_id = any(${sql.array([...worker_ids], "TEXT")}) order by seq
      `,
      "soon",
    );
    return rows.map(heldRow).filter(({ seq, lease_seq }) => held.get(seq)?.lease_seq !== lease_seq);
  }

  /** By the database's clock, when nobody will wait any more for the answer to what is asked now. */
  async function waitedForUntil(): Promise<number | null> {
    if (at() !== null) return null;
    if (!clock) {
      const [{ now }] = await ask((sql) => sql`select queuectl.now_ms() as now`, "soon");
      clock = { now: Number(now), heardAt: performance.now() };
    }
    return Math.floor(clock.now + performance.now() - clock.heardAt) + soonMs;
  }

  async function answerTo(asked: object): Promise<{ answer: Answer; claimed: HeldRow[] }> {
    const ask = async () => {
      const turn = {
        ...asked,
        at: at(),
        promote: promotionBatch,
        queue,
        until: await waitedForUntil(),
      };
      const rows: Row[] = await tell((sql) => sql`select * from queuectl.exchange(${turn}::jsonb)`, "vital");
      const { answer } = rows.pop();
      return { answer, claimed: rows.map(claimedRow) };
    };
    try {
      return await ask();
    } catch (error) {
      if (!isLate(error)) throw error;
      // The database's clock was set forward, or this machine slept.
      clock = undefined;
      return ask();
    }
  }

  async function exchange(turn: Turn): Promise<TurnResult> {
    if (turn.started.length === 0 && turn.ended.length === 0 && !turn.wanted) return nothing;
    const ended = once(turn.ended);
    const rows = await rowsOf(ended);
    const known = ended.filter(({ lease }) => rows.has(keyOf(lease)));
    const words = known.map((settlement) =>
      wordOn(settlement, rows.get(keyOf(settlement.lease))!, turn.settings),
    );
    let answer: Answer | undefined;
    let claimedRows: HeldRow[];
    let before: JobRow[] = [];
    try {
      ({ answer, claimed: claimedRows } = await answerTo({
        ...listed(
          "started",
          turn.started.map(({ lease, ...started }) => ({ ...lease, ...started })),
        ),
        ...listed("ended", words),
        ...listed("output", restsOf(known)),
        wanted: turn.wanted,
      }));
      clock = { now: answer.at, heardAt: performance.now() };
      if (answer.settled.length < known.length) {
        const good = new Set(answer.settled);
        const stale = known.map(({ lease }) => lease).filter(({ job_seq }) => !good.has(job_seq));
        before = await settledBefore(stale.filter(doubts.mayBeSettled));
      }
    } catch (error) {
      if (answer || isInDoubt(error)) doubts.add(known, turn.wanted?.worker_ids ?? []);
      throw plainly(error);
    }
    const settled = new Map([...before, ...settledBy(words, rows, answer)].map((row) => [row.seq, row]));
    for (const { lease } of ended) {
      doubts.forget(lease);
      if (held.get(lease.job_seq)?.lease_seq === lease.lease_seq) held.delete(lease.job_seq);
    }
    const claimed = claimedRows.map(give);
    if (answer.settled.length > 0 || claimed.length > 0) notifier.say("news");
    // What waits again may be for others to run: this process may be about to go.
    const goesOn = ({ next_run_at, key }: JobRow) => next_run_at !== null || key !== null;
    if (answer.freed || answer.told || settled.values().some(goesOn)) notifier.say("work");
    const done = new Set<Settlement>();
    for (const settlement of known) if (settled.has(settlement.lease.job_seq)) done.add(settlement);
    return {
      stale: turn.ended.filter((settlement) => !done.has(settlement)).map(({ lease }) => lease),
      settled: [...done].map(({ lease }) => jobFrom(settled.get(lease.job_seq)!)),
      claimed,
      next_due_at: nextDueAt(turn, claimed.length, answer),
      ...(answer.expelled ? { expelled: true } : {}),
    };
  }

  return {
    ...taking(connection, give),

    async exchange(turn) {
      const look = doubts.look(turn.wanted?.worker_ids ?? []);
      const unheard = await claimedUnheard(look.worker_ids);
      const result = await exchange(unheard.length > 0 ? { ...turn, wanted: null } : turn);
      look.done();
      return unheard.length > 0 ? { ...result, claimed: unheard.map(give), next_due_at: null } : result;
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
      await ask(
        (sql) => sql`
          update queuectl.jobs set
            next_run_at = least(next_run_at - ${Math.round(setBackMs)}::bigint, now + next_run_at - finished_at),
            finished_at = least(finished_at - ${Math.round(setBackMs)}::bigint, now)
          from coalesce(${at()}::bigint, queuectl.now_ms()) as now
          where queue in (select queue from queuectl.all_counts where state = 'failed' group by queue having sum(jobs) > 0)
            and state = 'failed' and finished_at > now
        `,
      );
    },
  };

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

/** Without those that name a lease again. */
function once(ended: readonly Settlement[]): Settlement[] {
  const seen = new Set<string>();
  return ended.filter(({ lease }) => !seen.has(keyOf(lease)) && seen.add(keyOf(lease)));
}

/** As `queuectl.settle` of the schema takes it. */
type Word = ReturnType<typeof wordOn>;

/**
 * A settlement with what becomes of its job. Whether a user has asked for its end is known to the database alone. Its moments are
 * delays, in milliseconds: the database's clock decides what they count from.
 */
function wordOn({ lease, ending, pid }: Settlement, row: HeldRow, settings: OutcomeSettings) {
  const job = runJobFrom(row);
  const dice = Math.random();
  const outcomeIf = (cancel_requested: boolean) =>
    withDelay(outcomeOf({ ...job, cancel_requested }, ending, settings, 0, dice));
  const outcome = outcomeIf(false);
  return {
    ...ending,
    ...outcome,
    ...lease,
    worker_id: row.worker_id,
    host: row.host,
    pid: pid ?? null,
    // One that completed did so whoever asked for its end.
    ...(outcome.state !== "completed" && {
      if_cancelled: outcomeIf(true),
      runs: isFailedRun(job.rules, ending),
    }),
    bin: binOf(ending.duration),
    counted_duration: row.last_duration,
  };
}

const withDelay = ({ next_run_at, ...outcome }: Outcome) => ({ ...outcome, delay: next_run_at });

/** The jobs that a turn has settled, as they are then. */
function settledBy(
  words: readonly Word[],
  rows: ReadonlyMap<string, HeldRow>,
  { settled, settled_at: at, turned }: Answer,
): JobRow[] {
  const good = new Set(settled);
  const other = new Map(turned?.map((row) => [row.seq, row]));
  return words.flatMap((word) => {
    const row = rows.get(keyOf(word))!;
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
const restsOf = (ended: readonly Settlement[]) =>
  ended.flatMap(({ lease, rests = [] }) =>
    rests.map(({ stream, start, bytes }) => ({
      ...lease,
      stream: descriptorOf(stream),
      start,
      bytes: Buffer.from(bytes).toString("base64"),
    })),
  );

/** Without a key for what there is none of. */
const listed = (key: string, list: readonly object[]) => (list.length > 0 ? { [key]: list } : {});

function nextDueAt({ wanted }: Turn, claimed: number, { at, due, crowded }: Answer): number | null {
  if (!wanted || claimed >= wanted.worker_ids.length) return null;
  return crowded ? at + crowdedMs : due;
}

const claimedFrom = (row: JobRow): ClaimedJob => ({
  job: jobFrom(row),
  lease: { job_seq: row.seq, lease_seq: row.lease_seq },
  attempt: row.attempt_number,
  worker_id: row.worker_id!,
});

/** What a turn says of a claimed job; all else is the same for each. */
const claimedRow = ({ answer: _, ...row }: Row): HeldRow => ({
  ...row,
  seq: Number(row.seq),
  state: "processing",
  held: false,
  parked: false,
  unmet: 0,
  run_at: Number(row.run_at),
  next_run_at: null,
  created_at: Number(row.created_at),
  updated_at: Number(row.started_at),
  started_at: Number(row.started_at),
  finished_at: null,
  lease_seq: Number(row.lease_seq),
  snooze: null,
  cancel_requested_at: null,
});

const heldRow = (row: Row): HeldRow => ({ ...jobRow(row), host: row.host });

/** Jobs with the host that their worker is entered on, as far as it is. */
const heldRows = (sql: SQL) => sql`
  select jobs.*, (
    select host from queuectl.workers join queuectl.worker_processes using (process_id) where workers.id = jobs.worker_id
  ) as host
  from queuectl.jobs
`;
