// Leases that end, where machines share a queue and nobody sees the others' processes: what PostgreSQL does beyond the contract.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { noPostgres } from "../support/postgres-server.ts";
import { claim, claimTurn, exitWith, newJob, refusalOf, register, settle } from "../support/sample-jobs.ts";
import { tcpProxy } from "../support/tcp-proxy.ts";
import { tempPostgresWithLeases } from "../support/temp-postgres.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(180_000);

const leaseMs = 30_000;

describe.skipIf(noPostgres !== undefined)("a lease that has ended", () => {
  test("gives the job to new workers of another process, and whoever still acts for the old one is refused", async () => {
    await using temp = await tempPostgresWithLeases();
    const { store, clock } = temp;
    await store.jobs.enqueue(newJob());
    const gone = await register(store, "worker-a");
    const [held] = await claim(store);
    clock.now += leaseMs;
    const alive = await register(store, "worker-b");
    const [taken] = await store.leases.takeExpired(alive);
    expect(taken?.job.id).toBe(held!.job.id);
    expect(taken?.worker_id).not.toBe("worker-a");
    expect(await store.workers.heartbeat(gone)).toBe(false);
    expect((await settle(store, held!.lease, exitWith(0))).stale).toEqual([held!.lease]);
    expect((await store.workers.list()).map(({ id }) => id).toSorted()).toEqual(
      ["worker-b", taken!.worker_id].toSorted(),
    );
  });

  test("is not renewed, and claims nothing, also before anybody has taken its jobs", async () => {
    await using temp = await tempPostgresWithLeases();
    const { store, clock } = temp;
    const process_id = await register(store, "worker-a");
    clock.now += leaseMs - 1;
    expect(await store.workers.heartbeat(process_id)).toBe(true);
    clock.now += leaseMs;
    expect(await store.workers.heartbeat(process_id)).toBe(false);
    await store.jobs.enqueue(newJob());
    expect(await claimTurn(store)).toMatchObject({ claimed: [], expelled: true });
  });

  test("does not let its process claim by the names of its workers once others run their jobs", async () => {
    await using temp = await tempPostgresWithLeases();
    const { store, clock } = temp;
    await store.jobs.enqueue(newJob());
    await register(store, "worker-a");
    await claim(store);
    clock.now += leaseMs;
    const other = await temp.another();
    await other.leases.takeExpired(await register(other, "worker-b"));
    await store.jobs.enqueue(newJob());
    expect(await claimTurn(store)).toMatchObject({ claimed: [], expelled: true });
  });

  test("lets its process take over nothing: that would belong to nobody", async () => {
    await using temp = await tempPostgresWithLeases();
    const { store, clock } = temp;
    await store.jobs.enqueue(newJob());
    const ended = await register(store, "worker-ended");
    clock.now += leaseMs / 2;
    const dead = await register(store, "worker-dead");
    await claim(store, { worker_ids: ["worker-dead"] });
    clock.now += leaseMs / 2;
    expect(await store.leases.takeOver(dead, ended)).toEqual([]);
    const alive = await register(store, "worker-alive");
    expect(await store.leases.takeOver(dead, alive)).toHaveLength(1);
  });

  test("does not hand a job to its process that it claimed unheard, once another one runs it", async () => {
    await using temp = await tempPostgresWithLeases();
    const { store, clock, environment } = temp;
    await using proxy = await tcpProxy(environment.QUEUECTL_DATABASE_URL!);
    await using cutOff = await openPostgres({ url: proxy.url, clock: () => clock.now, listenUrl: "off" });
    await store.jobs.enqueue(newJob());
    await register(cutOff, "worker-a");
    await slowCommits(environment.QUEUECTL_DATABASE_URL!, "queuectl.jobs");
    const claiming = refusalOf(claim(cutOff));
    await waitUntil("the claim is being made", () => isCommitting(environment.QUEUECTL_DATABASE_URL!));
    proxy.cut();
    await claiming;
    await waitUntil("it has been made", async () => (await store.stats.read()).processing === 1);
    clock.now += leaseMs;
    const [taken] = await store.leases.takeExpired(await register(store, "worker-b"));
    expect(taken).toBeDefined();
    expect((await claimTurn(cutOff)).claimed).toEqual([]);
  });
});

test.skipIf(noPostgres !== undefined)(
  "a heartbeat waits behind nothing else that its process asks",
  async () => {
    await using temp = await tempPostgresWithLeases();
    const url = temp.environment.QUEUECTL_DATABASE_URL!;
    // Behind a pooler no statement gives up by itself.
    await using store = await openPostgres({ url, listenUrl: "off" });
    await using sql = new SQL(url, { max: 2 });
    const process_id = await register(store, "worker-a");
    const { asked } = await sql.begin(async (tx) => {
      await tx`lock table queuectl.jobs in exclusive mode`;
      const asked = Array.from({ length: 8 }, () => store.jobs.enqueue(newJob()));
      await waitUntil("all its connections wait", async () => {
        const [{ count }] = await sql`
          select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        `;
        return Number(count) === 4;
      });
      expect(await store.workers.heartbeat(process_id)).toBe(true);
      return { asked };
    });
    expect(await Promise.all(asked)).toHaveLength(8);
  },
);

test.skipIf(noPostgres !== undefined)(
  "jobs that were taken by a transaction whose answer never came are given all the same, and only once",
  async () => {
    await using temp = await tempPostgresWithLeases();
    const { store, clock, environment } = temp;
    await using proxy = await tcpProxy(environment.QUEUECTL_DATABASE_URL!);
    await using cutOff = await openPostgres({ url: proxy.url, clock: () => clock.now, listenUrl: "off" });
    await store.jobs.enqueue(newJob());
    const dead = await register(store, "worker-dead");
    const [held] = await claim(store, { worker_ids: ["worker-dead"] });
    const alive = await register(cutOff, "worker-alive");
    await slowCommits(environment.QUEUECTL_DATABASE_URL!, "queuectl.workers");
    const taking = cutOff.leases.takeOver(dead, alive);
    await waitUntil("it is being taken", () => isCommitting(environment.QUEUECTL_DATABASE_URL!));
    proxy.cut();
    const [taken] = await taking;
    expect(taken?.job.id).toBe(held!.job.id);
    expect(taken?.lease.lease_seq).toBe(held!.lease.lease_seq + 1);
    expect(await cutOff.leases.takeExpired(alive)).toEqual([]);
  },
);

/** From now on a transaction that changes this table takes half a second to end. */
async function slowCommits(url: string, table: string): Promise<void> {
  await using sql = new SQL(url, { max: 1 });
  await sql.unsafe(`
    create function public.wait() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return null; end $$;
    create constraint trigger slow after update on ${table} deferrable initially deferred
    for each row execute function public.wait();
  `);
}

async function isCommitting(url: string): Promise<boolean> {
  await using sql = new SQL(url, { max: 1 });
  const rows = await sql`
    select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'
  `;
  return rows.length > 0;
}
