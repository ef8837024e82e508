// Jobs that change hands while something else is under way on the server that has to do with them.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import type { ClaimedJob } from "../../../src/domain/lease.ts";
import type { Store } from "../../../src/store/store.ts";
import { noPostgres } from "../../support/postgres-server.ts";
import { claim, exitWith, newJob, register, settle } from "../../support/sample-jobs.ts";
import { tempPostgresWithLeases } from "../../support/temp-postgres.ts";
import { waitUntil } from "../../support/wait-until.ts";

setDefaultTimeout(120_000);

describe.skipIf(noPostgres !== undefined)("a job that changes hands", () => {
  test("is not taken over when it is settled meanwhile", async () => {
    await using two = await twoProcesses();
    const { dead, from, other, to, running } = two;
    const { settling, taken } = await two.while("select from queuectl.jobs for update", async (waiting) => {
      const settling = settle(dead, running.lease, exitWith(0));
      await waiting(1);
      const taken = other.leases.takeOver(from, to);
      await waiting(2);
      return { settling, taken };
    });
    expect((await settling).settled).toMatchObject([{ state: "completed" }]);
    expect(await taken).toEqual([]);
  });

  const endings: readonly [string, (store: Store, to: number, third: number) => Promise<unknown>][] = [
    ["is forgotten", (store, to) => store.workers.forget(to)],
    ["takes leave", (store) => store.workers.leave(["worker-new"])],
    ["is taken over in turn", (store, to, third) => store.leases.takeOver(to, third)],
  ];
  for (const [what, ending] of endings) {
    test(`is found by others when who takes it over ${what} meanwhile`, async () => {
      await using two = await twoProcesses();
      const { dead, from, other, to } = two;
      const third = await register(dead, "worker-third");
      const both = await two.while("select from queuectl.jobs for update", async (waiting) => {
        const taken = other.leases.takeOver(from, to);
        await waiting(1);
        const ended = ending(dead, to, third);
        await waiting(2);
        return [taken, ended];
      });
      const [, ended] = await Promise.all(both);
      const found: ClaimedJob[] = Array.isArray(ended) ? [...ended] : [];
      for (const { process_id } of await dead.workers.processes())
        if (process_id !== third) found.push(...(await dead.leases.takeOver(process_id, third)));
      found.push(...(await dead.leases.takeForgotten(third)));
      expect(found.map(({ job }) => job.id)).toEqual(["held"]);
    });
  }

  test("goes to one of two who ask in the same moment when nobody has entered its worker", async () => {
    await using two = await twoProcesses();
    const { dead, from, other, to } = two;
    await dead.workers.forget(from);
    const alive = await register(dead, "worker-alive");
    const both = await two.while("select from queuectl.jobs for update", async (waiting) => {
      const both = [dead.leases.takeForgotten(alive), other.leases.takeForgotten(to)];
      await waiting(2);
      return both;
    });
    expect((await Promise.all(both)).flat()).toHaveLength(1);
  });

  test("is not taken from a lease that is being renewed", async () => {
    await using two = await twoProcesses();
    const { clock, other, from, to } = two;
    await two.outlive(to);
    const renewal = `update queuectl.worker_processes set lease_until = ${clock.now + 1000} where process_id = ${from}`;
    const { taken } = await two.while(renewal, async (waiting) => {
      const taken = other.leases.takeExpired(to);
      await waiting(1);
      return { taken };
    });
    expect(await taken).toEqual([]);
  });

  test("is taken from a lease that has ended also when it is just being claimed", async () => {
    await using two = await twoProcesses();
    const { dead, other, to } = two;
    await dead.jobs.enqueue(newJob({ id: "late" }));
    // What a claim writes last.
    const { claiming, taken } = await two.while(
      "lock table queuectl.count_changes in share mode",
      async (waiting) => {
        const claiming = claim(dead, { worker_ids: ["worker-idle"] });
        await waiting(1);
        await two.outlive(to);
        const taken = other.leases.takeExpired(to);
        await waiting(2);
        return { claiming, taken };
      },
    );
    await claiming;
    expect((await taken).map(({ job }) => job.id).toSorted()).toEqual(["held", "late"]);
  });

  test("is handed on when the next one cannot be taken", async () => {
    await using two = await twoProcesses();
    const { sql, dead, other, to } = two;
    await register(dead, "worker-second");
    await dead.jobs.enqueue(newJob({ id: "second" }));
    await claim(dead, { worker_ids: ["worker-second"] });
    await two.outlive(to);
    await sql.unsafe(`
      create function public.refuse() returns trigger language plpgsql as
      $$ begin raise exception using errcode = '53100', message = 'no space left on device'; end $$;
      create trigger refuse before update on queuectl.jobs for each row when (old.id = 'second') execute function public.refuse();
    `);
    const taken = await other.leases.takeExpired(to);
    expect(taken.map(({ job }) => job.id)).toEqual(["held"]);
    await sql.unsafe("drop trigger refuse on queuectl.jobs");
    expect((await other.leases.takeExpired(to)).map(({ job }) => job.id)).toEqual(["second"]);
  });
});

/** A process that holds the job `held` and has an idle worker, and another one that has a store of its own. */
async function twoProcesses() {
  const stack = new AsyncDisposableStack();
  const { store: dead, another, clock, environment } = stack.use(await tempPostgresWithLeases());
  const other = await another();
  const sql = stack.use(new SQL(environment.QUEUECTL_DATABASE_URL!, { max: 2 }));
  const from = await register(dead, "worker-dead", "worker-idle");
  const to = await register(other, "worker-new");
  await dead.jobs.enqueue(newJob({ id: "held" }));
  const [running] = await claim(dead, { worker_ids: ["worker-dead"] });
  const waiting = (many: number) =>
    waitUntil(`${many} wait for a lock`, async () => {
      const [{ count }] = await sql`
        select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      `;
      return Number(count) === many;
    });
  return {
    sql,
    clock,
    dead,
    from,
    other,
    to,
    running: running!,
    /** What `work` begins while a transaction is open that has done this; it is told how many wait. */
    async while<T extends object>(done: string, work: (wait: typeof waiting) => Promise<T>): Promise<T> {
      const { begun } = await sql.begin(async (tx) => {
        await tx.unsafe(done);
        return { begun: await work(waiting) };
      });
      return begun;
    },
    /** Turns the clock to the end of all leases but this one's. */
    async outlive(process_id: number) {
      clock.now += dead.leaseMs! - 1;
      await other.workers.heartbeat(process_id);
      clock.now += 1;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
