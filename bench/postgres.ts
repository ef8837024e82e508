// postgres: no-op jobs claimed and settled by several processes with eight workers each on one PostgreSQL server with full durability,
// against libraries that do so with jobs in PostgreSQL; and how it goes on with more processes and a long history.

import { join } from "node:path";
import { SQL } from "bun";
import { openStore } from "../src/store/open.ts";
import { startPostgres } from "../test/support/own-postgres.ts";
import { serverAt } from "../test/support/postgres-server.ts";
import type { Bench } from "./bench.ts";
import { plainJob } from "./example.ts";
import { npmPeer } from "./peers.ts";
import { type Contender, inTurn, proved } from "./rounds.ts";
import { type Figure, figure } from "./table.ts";

const rounds = 3;
const processes = 4;
const batch = 8;
/** As many for each: what a program does once, such as connecting, is part of its time. */
const jobs = 20_000;
/** Finished jobs, with the dead rows that an hour of such work leaves when no vacuum comes by. */
const history = 1_000_000;

/** As a server is that is meant to keep what it acknowledged. */
const durable = [
  "fsync = on",
  "full_page_writes = on",
  "synchronous_commit = on",
  "shared_buffers = '512MB'",
  "max_wal_size = '4GB'",
];

export const bench: Bench = async () => {
  await using server = await startPostgres(...durable);
  const { newDatabase } = serverAt(server.url);
  const pgBoss = await npmPeer("pg-boss/dist/index.js");
  const graphile = await npmPeer("graphile-worker/dist/index.js");

  /** `jobs` of them, by so many processes; resolves with jobs in a second. */
  const cycling = (
    name: string,
    program: string,
    jobs: number,
    fill: Fill,
    library = "",
    many = processes,
  ): Contender => ({
    name,
    async run() {
      await using database = await newDatabase();
      await fill(database.url, jobs, library);
      return await drained(name, program, jobs, database.url, library, many);
    },
  });

  const ours = cycling("queuectl", "cycle-postgres-queuectl.ts", jobs, fillQueuectl);
  const others: Contender[] = [
    cycling("the same rows by one statement", "bare-postgres.ts", jobs, fillQueuectl),
  ];
  if (pgBoss) others.push(cycling("pg-boss", "cycle-pg-boss.ts", jobs, fillPgBoss, pgBoss));
  if (graphile) others.push(cycling("graphile-worker", "cycle-graphile.ts", jobs, fillGraphile, graphile));
  const [own, floor, ...theirs] = await inTurn(rounds, [ours, ...others]);
  const common = { bench: "postgres", unit: "jobs/s" };
  const figures: Figure[] = [
    figure({
      ...common,
      work: `claim and settle, ${processes} × ${batch}`,
      ours: own!,
      bound: { atLeast: 5_000, own: true },
    }),
    figure({
      ...common,
      work: `claim and settle, ${processes} × ${batch}`,
      ours: own!,
      theirs: floor!,
      bound: { atLeast: 1 / 1.1 },
    }),
    ...theirs.map((samples) =>
      figure({
        ...common,
        work: `no-op job, ${processes} × ${batch}`,
        ours: own!,
        theirs: samples,
        bound: { atLeast: 1 },
      }),
    ),
  ];

  const scaled = [1, 2, 8].map((many) =>
    cycling(`${many} processes`, "cycle-postgres-queuectl.ts", 10_000, fillQueuectl, "", many),
  );
  const [one, ...more] = await inTurn(rounds, scaled);
  for (const samples of more) {
    figures.push(
      figure({
        ...common,
        work: `${samples.name} × ${batch}`,
        ours: samples,
        theirs: { ...one!, name: "1 process" },
      }),
    );
  }

  await using long = await newDatabase();
  await fillHistory(long.url);
  const withHistory: Contender = {
    name: "a million finished",
    async run() {
      await fillQueuectl(long.url, 10_000);
      return await drained("with history", "cycle-postgres-queuectl.ts", 10_000, long.url, "", processes);
    },
  };
  const short = cycling("none finished", "cycle-postgres-queuectl.ts", 10_000, fillQueuectl);
  const [aged, fresh] = await inTurn(rounds, [withHistory, short]);
  figures.push(
    figure({
      ...common,
      work: "after 1,000,000 finished and their dead rows",
      ours: aged!,
      theirs: fresh!,
      bound: { atLeast: 1 / 1.3 },
    }),
  );
  return figures;
};

async function drained(
  name: string,
  program: string,
  jobs: number,
  database: string,
  library: string,
  many: number,
): Promise<number> {
  const path = join(import.meta.dir, "programs", program);
  const children = Array.from({ length: many }, (_, index) =>
    Bun.spawn([process.execPath, path, database, String(batch), String(index), library], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    }),
  );
  const outputs = children.map(({ stdout }) => stdout.pipeThrough(new TextDecoderStream()).getReader());
  for (const output of outputs) await output.read();
  const begun = performance.now();
  for (const { stdin } of children) stdin.end();
  const words = await Promise.all(
    outputs.map(async (output) => JSON.parse((await output.read()).value ?? '{"done":0}')),
  );
  const seconds = (performance.now() - begun) / 1000;
  for (const child of children) await child.exited;
  proved(
    `${name}'s jobs that are done`,
    words.reduce((sum, { done }) => sum + done, 0),
    jobs,
  );
  return jobs / seconds;
}

type Fill = (database: string, jobs: number, library: string) => Promise<void>;

async function fillQueuectl(database: string, jobs: number): Promise<void> {
  await using store = await openStore({ home: "/bench", database });
  await store.jobs.enqueueAll(plainJobs(jobs));
  await analyzed(database);
}

async function* plainJobs(count: number) {
  for (let job = 0; job < count; job++) yield plainJob;
}

async function fillPgBoss(database: string, jobs: number, library: string): Promise<void> {
  const { PgBoss } = await import(library);
  const boss = new PgBoss({ connectionString: database, supervise: false, schedule: false });
  boss.on("error", console.error);
  await boss.start();
  await boss.createQueue("noop");
  for (let sent = 0; sent < jobs; sent += 1000) {
    await boss.insert(
      "noop",
      Array.from({ length: 1000 }, () => ({ data: {} })),
    );
  }
  await boss.stop({ graceful: false });
  await analyzed(database);
}

async function fillGraphile(database: string, jobs: number, library: string): Promise<void> {
  const { runMigrations } = await import(library);
  await runMigrations({ connectionString: database });
  const sql = new SQL(database, { max: 1 });
  await sql`select graphile_worker.add_job('noop', '{}'::json) from generate_series(1, ${jobs}::integer)`;
  await sql.close();
  await analyzed(database);
}

/** The planner of none of them shall have to guess. */
async function analyzed(database: string): Promise<void> {
  const sql = new SQL(database, { max: 1 });
  await sql.unsafe("analyze");
  await sql.close();
}

/** Finished jobs that were each claimed and settled, so that each has left dead rows behind, and none has been vacuumed. */
async function fillHistory(database: string): Promise<void> {
  await fillQueuectl(database, 0);
  const sql = new SQL(database, { max: 1 });
  await sql`alter table queuectl.jobs set (autovacuum_enabled = false)`;
  await sql`alter table queuectl.attempts set (autovacuum_enabled = false)`;
  await sql.close();
  const jobs = 100_000;
  await using store = await openStore({ home: "/bench", database });
  await store.jobs.enqueueAll(plainJobs(jobs));
  await drained("history", "cycle-postgres-queuectl.ts", jobs, database, "", processes);
  const copy = new SQL(database, { max: 1 });
  const columns = await copy`
    select string_agg(column_name, ', ') as names from information_schema.columns
    where table_schema = 'queuectl' and table_name = 'jobs' and column_name not in ('seq', 'id')
  `;
  const { names } = columns[0];
  await copy.unsafe(`
    insert into queuectl.jobs (id, ${names})
    select 'copy' || n || '-' || seq, ${names} from queuectl.jobs cross join generate_series(2, ${history / jobs}) as n
  `);
  await copy.unsafe(`insert into queuectl.counts values ('default', 'completed', ${history - jobs}, 0)
    on conflict (queue, state) do update set jobs = counts.jobs + excluded.jobs`);
  await copy.close();
  await analyzed(database);
}
