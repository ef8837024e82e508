// What a store does when a connection breaks, or is swallowed, before the answer came: it finds out what was done.

import { expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import type { Refusal } from "../../../src/domain/errors.ts";
import type { NewJob } from "../../../src/domain/job.ts";
import type { ClaimedJob } from "../../../src/domain/lease.ts";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { noPostgres, postgresServer, type TempPostgres } from "../../support/postgres-server.ts";
import {
  claim,
  claimTurn,
  exitWith,
  newJob,
  refusalOf,
  register,
  settings,
  settle,
} from "../../support/sample-jobs.ts";
import { type TcpProxy, tcpProxy } from "../../support/tcp-proxy.ts";
import { waitUntil } from "../../support/wait-until.ts";

setDefaultTimeout(120_000);

const testOnPostgres = test.skipIf(noPostgres !== undefined);

interface CutOff extends AsyncDisposable {
  readonly database: TempPostgres;
  /** Reaches the database by way of the proxy. */
  readonly store: Store;
  readonly proxy: TcpProxy;
  /** Reaches it always. */
  readonly direct: Store;
}

async function cutOff(): Promise<CutOff> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await (await postgresServer()).newDatabase());
  const proxy = stack.use(await tcpProxy(database.url));
  const direct = stack.use(await openPostgres({ url: database.url }));
  const store = stack.use(await openPostgres({ url: proxy.url, listenUrl: undefined }));
  return { database, proxy, direct, store, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** From now on a transaction that changes this table takes half a second to commit. */
async function slowCommits({ url }: TempPostgres, table: string): Promise<void> {
  await using sql = new SQL(url, { max: 1 });
  await sql.unsafe(`
    create function public.dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return null; end $$;
    create constraint trigger slow after insert or update on ${table} deferrable initially deferred
    for each row execute function public.dawdle();
  `);
}

/** Cuts the connection of `asked` while it commits, which the server does all the same. */
async function cutWhileCommitting<T>(way: CutOff, asked: Promise<T>): Promise<T> {
  await whileCommitting(way, way.proxy.cut);
  return asked;
}

async function whileCommitting({ database }: CutOff, harm: () => void | Promise<void>): Promise<void> {
  await using sql = new SQL(database.url, { max: 1 });
  const committing = async () =>
    (await sql`select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`)
      .length > 0;
  await waitUntil("it commits", committing);
  await harm();
}

const total = async ({ direct }: CutOff) => (await direct.stats.read()).total;

testOnPostgres("an enqueue whose answer is lost is stored once, and says so", async () => {
  await using way = await cutOff();
  await slowCommits(way.database, "queuectl.jobs");
  const job = await cutWhileCommitting(way, way.store.jobs.enqueue(newJob()));
  expect(await total(way)).toBe(1);
  expect((await way.direct.jobs.find(job.id)).id).toBe(job.id);
});

testOnPostgres(
  "an enqueue whose answer is lost is known also when the question after it is slow",
  async () => {
    await using way = await cutOff();
    await slowCommits(way.database, "queuectl.jobs");
    const enqueuing = way.store.jobs.enqueue(newJob({ id: "mine" }));
    await whileCommitting(way, way.proxy.cut);
    await using sql = new SQL(way.database.url, { max: 1 });
    await using beside = new SQL(way.database.url, { max: 1 });
    const waits = (event: string) =>
      waitUntil(`somebody waits for a ${event}`, async () => {
        const [found] = await beside`
        select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and wait_event = ${event}
      `;
        return found !== undefined;
      });
    await waits("transactionid");
    await sql.begin(async (tx) => {
      await tx`lock table queuectl.jobs in access exclusive mode`;
      await waits("relation");
      await tx`select pg_sleep(0.5)`;
    });
    expect((await enqueuing).id).toBe("mine");
  },
);

testOnPostgres(
  "an enqueue that was cut before it was done is refused when the id is somebody else's",
  async () => {
    await using way = await cutOff();
    await way.direct.jobs.enqueue(newJob({ id: "taken" }));
    await using sql = new SQL(way.database.url, { max: 1 });
    let enqueuing: Promise<Refusal> | undefined;
    await sql.begin(async (tx) => {
      await tx`lock table queuectl.jobs in exclusive mode`;
      enqueuing = refusalOf(way.store.jobs.enqueue(newJob({ id: "taken" })));
      await endWaiting(way);
    });
    expect((await enqueuing)?.kind).toBe("conflict");
  },
);

/** Ends the sessions that wait for a lock, once there is one. */
async function endWaiting({ database }: CutOff): Promise<void> {
  await using sql = new SQL(database.url, { max: 1 });
  const ended = () => sql`
    select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  `;
  await waitUntil("somebody waits", async () => (await ended()).length > 0);
}

testOnPostgres(
  "many jobs whose commit is not answered are stored once, and their ids are given",
  async () => {
    await using way = await cutOff();
    await slowCommits(way.database, "queuectl.count_changes");
    async function* many(): AsyncIterable<NewJob> {
      for (let n = 0; n < 1200; n++) yield newJob();
    }
    const enqueued = await cutWhileCommitting(way, way.store.jobs.enqueueAll(many()));
    expect(enqueued.count).toBe(1200);
    expect(await Array.fromAsync(enqueued.ids())).toHaveLength(1200);
    expect(await total(way)).toBe(1200);
  },
);

testOnPostgres("a job for a worker whose fate stays unknown is named, for both may be", async () => {
  await using way = await cutOff();
  await register(way.store, "worker-a");
  await slowCommits(way.database, "queuectl.jobs");
  const refused = refusalOf(way.store.leases.enqueueFor("worker-a", newJob({ id: "mine" })));
  await whileCommitting(way, () => way.proxy.refuse());
  expect((await refused).message).toContain("job mine may have been stored or not");
});

testOnPostgres("a change whose commit is not answered is told as it was done", async () => {
  await using way = await cutOff();
  const { seq } = await way.direct.jobs.enqueue(newJob());
  await slowCommits(way.database, "queuectl.jobs");
  const [job] = await cutWhileCommitting(way, way.store.jobs.cancel([seq]));
  expect(job?.state).toBe("cancelled");
});

testOnPostgres("a claim whose answer is lost is found, once", async () => {
  await using way = await cutOff();
  const { id } = await way.direct.jobs.enqueue(newJob());
  await register(way.store, "worker-a");
  await slowCommits(way.database, "queuectl.jobs");
  await cutWhileCommitting(way, refusalOf(claim(way.store)));
  // The server may still be about it at the first look.
  const claimed = await waitUntil("the job is found", async () => (await claimTurn(way.store)).claimed[0]);
  expect([claimed.job.id, claimed.attempt]).toEqual([id, 1]);
  expect((await claimTurn(way.store)).claimed).toEqual([]);
});

testOnPostgres("a claim whose answer is lost is found before another one is made", async () => {
  await using way = await cutOff();
  await way.direct.jobs.enqueue(newJob({ id: "a" }));
  await register(way.store, "worker-a", "worker-b");
  const worker_ids = ["worker-a", "worker-b"];
  await slowCommits(way.database, "queuectl.jobs");
  await cutWhileCommitting(way, refusalOf(claim(way.store, { worker_ids })));
  await waitUntil("it was made", async () => (await way.direct.stats.read()).processing === 1);
  await way.direct.jobs.enqueue(newJob({ id: "b" }));
  const idsOf = (claimed: readonly ClaimedJob[]) => claimed.map(({ job }) => job.id);
  expect(idsOf(await claim(way.store, { worker_ids }))).toEqual(["a"]);
  expect(idsOf(await claim(way.store, { worker_ids: ["worker-b"] }))).toEqual(["b"]);
});

testOnPostgres("a settlement that broke off is stale once another worker has settled the job", async () => {
  await using way = await cutOff();
  await way.direct.jobs.enqueue(newJob());
  const from = await register(way.store, "worker-a");
  const [held] = await claim(way.store);
  await using sql = new SQL(way.database.url, { max: 1 });
  await sql.begin(async (tx) => {
    await tx`select from queuectl.jobs for update`;
    const refused = refusalOf(settle(way.store, held!.lease, exitWith(0)));
    await endWaiting(way);
    await refused;
  });
  const [taken] = await way.direct.leases.takeOver(from, await register(way.direct, "worker-b"));
  await settle(way.direct, taken!.lease, exitWith(0));
  expect(await settle(way.store, held!.lease, exitWith(0))).toMatchObject({
    settled: [],
    stale: [held!.lease],
  });
});

testOnPostgres(
  "a connection that was ended while it idled is not trusted to lead to the same queue",
  async () => {
    await using way = await cutOff();
    await using sql = new SQL(way.database.url, { max: 1 });
    await way.store.jobs.list({}, { limit: 1 });
    // As after a fail-over, or a dump that was restored.
    await sql`update queuectl.meta set id = gen_random_uuid()`;
    way.proxy.cut();
    // It hears of that before it asks: an idle connection ends in the same way.
    await Bun.sleep(100);
    expect((await refusalOf(way.store.jobs.enqueue(newJob()))).message).toContain(
      "holds another queue than before",
    );
  },
);

testOnPostgres(
  "a claim whose answer is lost is found also by who wants no more, before it goes",
  async () => {
    await using way = await cutOff();
    const { id } = await way.direct.jobs.enqueue(newJob());
    await register(way.store, "worker-a");
    await slowCommits(way.database, "queuectl.jobs");
    await cutWhileCommitting(way, refusalOf(claim(way.store)));
    const look = () => way.store.leases.exchange({ started: [], ended: [], settings, wanted: null });
    // The server may still be about it at the first look.
    const claimed = await waitUntil("the job is found", async () => (await look()).claimed[0]);
    expect(claimed.job.id).toBe(id);
  },
);

testOnPostgres(
  "a settlement whose answer is lost is settled once, and its job is not given out again",
  async () => {
    await using way = await cutOff();
    await way.direct.jobs.enqueue(newJob());
    await register(way.store, "worker-a");
    const [held] = await claim(way.store);
    const settle = () =>
      way.store.leases.exchange({
        started: [],
        ended: [{ lease: held!.lease, ending: exitWith(0) }],
        settings,
        wanted: { worker_ids: ["worker-a"], queues: null },
      });
    await using sql = new SQL(way.database.url, { max: 1 });
    // The first time it is not done.
    await sql.begin(async (tx) => {
      await tx`select from queuectl.jobs for update`;
      const refused = refusalOf(settle());
      await endWaiting(way);
      expect((await refused).kind).toBe("unavailable");
    });
    // The second time it is, and nobody hears of it.
    await slowCommits(way.database, "queuectl.jobs");
    await cutWhileCommitting(way, refusalOf(settle()));
    await waitUntil("it is settled", async () => (await way.direct.stats.read()).completed === 1);
    const { settled, stale, claimed } = await settle();
    expect(settled.map(({ state }) => state)).toEqual(["completed"]);
    expect([stale, claimed]).toEqual([[], []]);
    expect((await way.direct.stats.read()).success_runs).toBe(1);
  },
);

testOnPostgres(
  "a claim that the network delivers when nobody waits for it any more takes no job",
  async () => {
    await using way = await cutOff();
    await register(way.store, "worker-a");
    // The store knows the database's clock by now.
    await claimTurn(way.store);
    await way.direct.jobs.enqueue(newJob({ id: "a" }));
    await way.proxy.swallow();
    expect((await refusalOf(claim(way.store))).message).toContain("does not answer");
    await way.proxy.pass();
    await waitUntil(
      "all was delivered",
      async () => (await claimTurn(way.direct, { queues: ["none"] })) && true,
    );
    const [claimed] = await claim(way.store);
    expect([claimed?.job.id, claimed?.attempt]).toEqual(["a", 1]);
    expect((await way.direct.jobs.attempts(claimed!.job.seq)).length).toBe(1);
  },
);

testOnPostgres("a store whose server is gone, or swallowed, closes all the same", async () => {
  await using way = await cutOff();
  const watch = way.store.watch(() => {});
  await way.store.jobs.list({}, { limit: 1 });
  await way.proxy.swallow();
  watch[Symbol.dispose]();
  await way.store[Symbol.asyncDispose]();
  await way.proxy.pass();
});
