// How SQLite finds what a job's life asks for, by its own word, and in how many statements: neither depends on the machine, nor on
// how many jobs there are.

import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Settlement } from "../../src/domain/lease.ts";
import { type Connection, connect } from "../../src/store/sqlite/connection.ts";
import { jobs } from "../../src/store/sqlite/jobs.ts";
import { leases } from "../../src/store/sqlite/leases.ts";
import { openDatabase, openSqlite } from "../../src/store/sqlite/open.ts";
import { stats } from "../../src/store/sqlite/stats.ts";
import { exitWith, newJob, register, settings } from "../support/sample-jobs.ts";
import { tempFolder } from "../support/temp-home.ts";

const together = 8;

/** Statements by the step of a job's life that asked for them. */
async function statementsOf(work: (step: Step, connection: Connection) => Promise<void>) {
  using folder = tempFolder();
  const path = join(folder.path, "queue.db");
  await using store = await openSqlite({ path });
  await register(store, ...worker_ids);
  const real = connect(path, openDatabase(path), Date.now);
  const asked = new Map<string, string[]>();
  let now: string[] = [];
  const connection: Connection = {
    ...real,
    sql(text) {
      now.push(text);
      return real.sql(text);
    },
  };
  const step: Step = (name, does) => {
    now = [];
    asked.set(name, now);
    return does();
  };
  await work(step, connection);
  const plans = [...asked].flatMap(([name, texts]) =>
    [...new Set(texts)].map((text) => ({ name, text, plan: planOf(real, text) })),
  );
  real.close();
  return { asked, plans };
}

type Step = <T>(name: string, does: () => Promise<T>) => Promise<T>;

const planOf = ({ db }: Connection, text: string): string[] => {
  using statement = db.prepare<{ detail: string }, []>(`explain query plan ${text}`);
  return statement.all().map(({ detail }) => detail);
};

const worker_ids = Array.from({ length: together }, (_, index) => `worker-${index}`);
const wanted = { worker_ids, queues: null };

async function life(step: Step, connection: Connection): Promise<void> {
  const [jobsOf, leasesOf, statsOf] = [jobs(connection), leases(connection), stats(connection)];
  for (let n = 0; n < 3 * together; n++)
    await step("enqueue", () => jobsOf.enqueue(newJob({ id: `job-${n}-one` })));
  const exchange = (ended: readonly Settlement[]) =>
    leasesOf.exchange({ started: [], ended, settings, wanted });
  const { claimed } = await step("claim", () => exchange([]));
  const ended = claimed.map(({ lease }) => ({ lease, ending: exitWith(0) }));
  const next = await step("settle and claim", () => exchange(ended));
  expect([ended.length, next.settled.length, next.claimed.length]).toEqual([together, together, together]);
  await step("orders", () => leasesOf.orders(1));
  await step("status", () => statsOf.read());
  await step("outstanding", () => statsOf.outstanding(null));
  await step("list of a state", () => jobsOf.list({ state: "completed" }, { limit: 50 }));
  await step("show", () => jobsOf.find("job-1-one"));
  await step("show by a beginning", () => jobsOf.find("job-1-"));
  await step("attempts", () => jobsOf.attempts(1));
}

test("no step of a job's life goes through all jobs or attempts", async () => {
  const { plans } = await statementsOf(life);
  const scans = plans.filter(({ plan }) => plan.some((line) => /^SCAN (jobs|attempts)\b/.test(line)));
  expect(scans).toEqual([]);
  expect(plans.length).toBeGreaterThan(10);
});

test("settling eight jobs and claiming eight more takes few statements for each, and a question of somebody a handful", async () => {
  const { asked } = await statementsOf(life);
  // Half as many again as when this was set.
  const most: Readonly<Record<string, number>> = { claim: 33, "settle and claim": 81 };
  const many = [...asked].filter(([name, texts]) => texts.length > (most[name] ?? 4));
  expect(many.map(([name, texts]) => [name, texts.length])).toEqual([]);
});

test("what a turn, a look for work and the figures of queues ask is not more with more queues", async () => {
  const askedAmong = async (queues: number) => {
    const { asked, plans } = await statementsOf((step, connection) => lifeAmong(queues, step, connection));
    const scans = plans.filter(({ plan }) => plan.some((line) => /^SCAN (jobs|attempts)\b/.test(line)));
    expect(scans).toEqual([]);
    return [...asked].map(([name, texts]) => [name, texts.length]);
  };
  expect(await askedAmong(500)).toEqual(await askedAmong(3 * together));
});

async function lifeAmong(queues: number, step: Step, connection: Connection): Promise<void> {
  const leasesOf = leases(connection);
  for (let n = 0; n < queues; n++) await jobs(connection).enqueue(newJob({ queue: `queue-${n}` }));
  for (const isFair of [false, true]) {
    const turn = { started: [], ended: [], settings, wanted: { ...wanted, isFair } };
    const { claimed } = await step(`claim ${isFair}`, () => leasesOf.exchange(turn));
    expect(claimed.map(({ job }) => job.queue)).toEqual(
      worker_ids.map((_, n) => `queue-${n + (isFair ? together : 0)}`),
    );
  }
  await step("queues", () => stats(connection).queues());
}
