// How PostgreSQL looks for rows: by index, and few of them, among 200,000 jobs. Told by what the server counts, since most of the
// statements stand in functions, whose plans nobody shows.

import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import type { Settlement } from "../../../src/domain/lease.ts";
import { readAddress } from "../../../src/store/postgres/address.ts";
import { connect } from "../../../src/store/postgres/connection.ts";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { othersHaveReported } from "../../support/postgres-figures.ts";
import { noPostgres, postgresServer, type TempPostgres } from "../../support/postgres-server.ts";
import { asyncly, claim, exitWith, newJob, register, settings, settle } from "../../support/sample-jobs.ts";
import { tempPostgresWithLeases } from "../../support/temp-postgres.ts";

// A real server on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const jobs = 200_000;

/** Of a key that most jobs had. */
const once = newJob({ unique: { key: "key common", seconds: 0 } });

const child = (id: string) => ({ id, if_fails: "cancel" as const });

/** Index entries and rows that one step may look at; it changes 50 jobs at most. */
const fewRows = 2_500;

/** Pages of indexes that one step may look into: each of 50 changed jobs takes some 20. The index by state has 1,900. */
const fewPages = 1_300;

describe.skipIf(noPostgres !== undefined)("how rows are found among many", () => {
  let database: TempPostgres;
  let process_id: number;

  beforeAll(async () => {
    database = await (await postgresServer()).newDatabase();
    // Its lease shall not end on a busy machine.
    await using store = await openPostgres({ url: database.url, leaseMs: 3_600_000 });
    process_id = await register(store, "worker-a", "worker-b", "worker-c");
    await using sql = new SQL(database.url, { max: 1 });
    await fill(sql);
    return async () => database[Symbol.asyncDispose]();
  });

  const steps: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
    enqueue: (store) => store.jobs.enqueue(newJob({ tags: ["new"] })),
    "enqueue of many": (store) =>
      store.jobs.enqueueAll(
        (async function* () {
          for (let n = 0; n < 50; n++) yield newJob();
        })(),
      ),
    "enqueue of what was enqueued before": (store) => store.jobs.enqueueOnce(once),
    "enqueue of the only one whose id begins so": (store) =>
      store.jobs.enqueueOnce(newJob({ id: "only.one" }), "only."),
    "enqueue of a list of what was enqueued before": (store) =>
      store.jobs.enqueueAll(asyncly([once, newJob({ unique: { key: "key other", seconds: 10 } })])),
    "enqueue after others": (store) => store.jobs.enqueue(newJob({ after: [child("job-77777")] })),
    "enqueue of a list after others": (store) =>
      store.jobs.enqueueAll(asyncly([newJob({ after: [child("job-77777"), child("waiting-19")] })])),
    "hold and release": async (store) => {
      const { seq } = await store.jobs.find("waiting-29");
      await store.jobs.hold([seq]);
      await store.jobs.release([seq]);
    },
    edit: async (store) =>
      store.jobs.edit((await store.jobs.find("waiting-39")).seq, () => ({ key: "k", queue: "q2" })),
    "claim from every queue": (store) => claim(store, { worker_ids: ["worker-a"] }),
    "claim from one": (store) => claim(store, { worker_ids: ["worker-b"], queues: ["q1"] }),
    "settle and claim": async (store) => {
      const [job] = await claim(store, { worker_ids: ["worker-c"] });
      await store.leases.exchange({
        started: [{ lease: job!.lease, pid: 1, pid_start: "" }],
        ended: [{ lease: job!.lease, ending: exitWith(1) }],
        settings,
        wanted: { worker_ids: ["worker-c"], queues: null },
      });
    },
    "a key is taken, and let go of": async (store) => {
      const [job] = await claim(store, { worker_ids: ["worker-c"], queues: ["keyed"] });
      expect(job!.job.key).toBe("many");
      await settle(store, job!.lease, exitWith(1));
    },
    heartbeat: (store) => store.workers.heartbeat(process_id),
    orders: (store) => store.leases.orders(process_id),
    "worker list": (store) => store.workers.list(),
    status: (store) => store.stats.read(),
    queues: (store) => store.stats.queues(),
    "what is outstanding": (store) => store.stats.outstanding(null),
    "what is expected": (store) => store.stats.expected(null),
    relatives: async (store) => store.jobs.relatives((await store.jobs.find("job-77777")).seq, 50),
    "slow runs": (store) => store.alerts.runningSince(1_000_000_050),
    "a backlog": (store) => store.alerts.readyJobs("q0", 50),
    list: (store) => store.jobs.list({}, { limit: 50 }),
    "list by state": (store) => store.jobs.list({ state: "dead" }, { limit: 50 }),
    "list by queue": (store) => store.jobs.list({ queue: "q3" }, { limit: 50 }),
    "list by state that is rare": (store) => store.jobs.list({ state: "cancelled" }, { limit: 50 }),
    "list by rare state and queue, from the middle": (store) =>
      store.jobs.list({ state: "cancelled", queue: "q3" }, { limit: 50, before: 100_000 }),
    "list by tag": (store) => store.jobs.list({ tag: "rare" }, { limit: 50 }),
    "a page of the dashboard": (store) =>
      store.matching.page({ state: "completed" }, { limit: 50, scan: 200 }),
    show: (store) => store.jobs.history("job-77777"),
    "show by the beginning of an id": (store) => store.jobs.find("job-12345"),
    cancel: async (store) => store.jobs.cancel([(await store.jobs.find("waiting-9")).seq]),
    retry: async (store) => store.jobs.retry([(await store.jobs.find("job-77778")).seq]),
    "dlq retry-all, a step": (store) => store.matching.change("retry", { state: "dead" }, { limit: 50 }),
    "dlq purge, a step": (store) => store.matching.change("delete", { state: "dead" }, { limit: 50 }),
    prune: (store) => store.jobs.prune(1_000_000_050, 50),
    "prune of dead letters": (store) => store.jobs.prune(1_000_000_050, 50, ["dead"]),
    "delete with a tag that many have": async (store) =>
      store.jobs.delete([(await store.jobs.find("job-100")).seq]),
    "mending of retries": (store) => store.leases.mendRetries(),
    "take-over": (store) => store.leases.takeOver(process_id, process_id + 1),
    "what is forgotten": (store) => store.leases.takeForgotten(process_id + 1),
    "what has expired": (store) => store.leases.takeExpired(process_id + 1),
  };

  test("no plan is compiled, whatever it seems to cost", async () => {
    await using sql = new SQL(database.url, { max: 1 });
    const compiling = await sql`
      select proname from pg_proc
      where pronamespace = 'queuectl'::regnamespace
        and 'enable_seqscan=off' = any(proconfig) and not 'jit=off' = any(proconfig)
    `;
    expect([...compiling]).toEqual([]);
    const connection = connect({ address: readAddress(database.url), at: () => null, pooled: false });
    try {
      const [{ jit }] = await connection.ask((asked) => asked`show jit`);
      expect(jit).toBe("off");
    } finally {
      await connection.close();
    }
  });

  test.each(Object.keys(steps))("%s looks at few rows", async (step) => {
    await using sql = new SQL(database.url, { max: 1 });
    await othersHaveReported(sql);
    const before = await looks(sql);
    {
      await using store = await openPostgres({ url: database.url });
      await steps[step]!(store);
    }
    await othersHaveReported(sql);
    const after = await looks(sql);
    expect(after.walks - before.walks).toBe(0);
    expect(after.rows - before.rows).toBeLessThan(fewRows);
    expect(after.pages - before.pages).toBeLessThan(fewPages);
  });
});

test.skipIf(noPostgres !== undefined)(
  "a turn reads no index from end to end when none ran the last time that rows were counted",
  async () => {
    await using temp = await tempPostgresWithLeases();
    const { store } = temp;
    await using sql = new SQL(temp.environment.QUEUECTL_DATABASE_URL!, { max: 1 });
    await store.jobs.enqueueAll(asyncly(Array.from({ length: 20_000 }, () => newJob())));
    await sql.unsafe("vacuum analyze queuectl.jobs");
    const worker_ids = Array.from({ length: 8 }, (_, n) => `worker-${n}`);
    await register(store, ...worker_ids);
    await othersHaveReported(sql);
    const before = await pagesOfStates(sql);
    const turns = 5;
    let ended: Settlement[] = [];
    for (let turn = 0; turn < turns; turn++) {
      const wanted = { worker_ids, queues: null };
      const { claimed } = await store.leases.exchange({ started: [], ended, settings, wanted });
      expect(claimed.length).toBe(8);
      ended = claimed.map(({ lease }) => ({ lease, ending: exitWith(0) }));
    }
    await store[Symbol.asyncDispose]();
    await othersHaveReported(sql);
    // Sixteen new entries, three pages deep each; it has more than a hundred pages.
    expect(((await pagesOfStates(sql)) - before) / turns).toBeLessThan(80);
  },
);

/** Most are completed; every tenth waits, every hundredth is dead, and a few are cancelled or wait for their moment. */
async function fill(sql: SQL): Promise<void> {
  await sql`
    insert into queuectl.jobs (
      id, command, state, ready, attempts, attempt_number, max_retries, priority, timeout, queue, tags, cwd, env, run_at, next_run_at,
      created_at, updated_at, finished_at, last_duration, unique_key
    )
    select
      case state when 'pending' then 'waiting-' when 'failed' then 'late-' else 'job-' end || n, 'true', state, state = 'pending',
      1, 1, 3, 1 + n % 5, 0, 'q' || n % 5, case when n % 2 = 0 then '["common"]' else '[]' end, '/', '{}', 0,
      case state when 'pending' then 0 when 'failed' then 9000000000000 end,
      0, 0, case when state in ('completed', 'dead', 'cancelled') then 1000000000 + n end, 1,
      case when state = 'completed' then 'key common' end
    from generate_series(1, ${jobs}) as n cross join lateral (
      select case
        when n % 10000 = 3 then 'cancelled' when n % 10 = 9 then 'pending' when n % 100 = 8 then 'dead' when n % 100 = 7 then 'failed'
        else 'completed'
      end as state
    ) as own
  `;
  await sql`
    insert into queuectl.jobs (
      id, command, state, ready, parked, max_retries, priority, timeout, queue, tags, cwd, env, run_at, next_run_at, created_at, updated_at, key
    )
    select 'keyed-' || n, 'true', 'pending', n = 1, n > 1, 3, 1, 0, 'keyed', '[]', '/', '{}', 0, case when n = 1 then 0 end, 0, 0, 'many'
    from generate_series(1, 20000) as n
  `;
  await sql`insert into queuectl.job_tags select 'common', seq from queuectl.jobs where tags <> '[]'`;
  await sql`insert into queuectl.job_tags select 'rare', seq from queuectl.jobs where seq % 10000 = 0`;
  await sql`
    insert into queuectl.attempts (job_seq, number, result, worker_id, host, started_at)
    select seq, 1, 'exited', 'worker-x', 'here', 0 from queuectl.jobs where state <> 'pending'
  `;
  await sql`
    insert into queuectl.output (job_seq, attempt, stream, start, bytes)
    select seq, 1, 0, 0, 'said' from queuectl.jobs where state <> 'pending'
  `;
  await sql`insert into queuectl.counts select queue, state, count(*), 0 from queuectl.jobs group by queue, state`;
  await sql`vacuum analyze`;
}

/** What large tables were read so far: from end to end, how many rows and index entries were found, and in how many pages of indexes. */
async function looks(sql: SQL): Promise<{ walks: number; rows: number; pages: number }> {
  const [{ walks, rows, pages }] = await sql`
    select
      (select sum(seq_scan) from pg_stat_user_tables where relname in ('jobs', 'attempts', 'job_tags', 'output'))::integer as walks,
      (
        select sum(idx_tup_read) from pg_stat_user_indexes where relname in ('jobs', 'attempts', 'job_tags', 'output')
      )::integer as rows,
      (
        select sum(idx_blks_hit + idx_blks_read) from pg_statio_user_indexes
        where relname in ('jobs', 'attempts', 'job_tags', 'output')
      )::integer as pages
  `;
  return { walks, rows, pages };
}

/** How many pages of the index by state were read so far. */
async function pagesOfStates(sql: SQL): Promise<number> {
  const [{ pages }] = await sql`
    select (idx_blks_hit + idx_blks_read)::integer as pages from pg_statio_user_indexes where indexrelname = 'jobs_by_state'
  `;
  return pages;
}
