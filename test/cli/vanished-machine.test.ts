// A machine that is gone, with a job: what can be done about it from another one, before and after its lease.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { SQL } from "bun";
import { ownIdentity } from "../../src/runner/process-identity.ts";
import { openPostgres } from "../../src/store/postgres/open.ts";
import { makeGate } from "../support/gate.ts";
import { noPostgres, postgresServer } from "../support/postgres-server.ts";
import { queuectl } from "../support/queuectl.ts";
import { claim } from "../support/sample-jobs.ts";

setDefaultTimeout(120_000);

/** A machine whose worker `worker-lost` runs the job `job`, and of which nobody hears any more. */
async function vanishedMachine(identity: Partial<ReturnType<typeof ownIdentity>> = { host: "host-lost" }) {
  const database = await (await postgresServer()).newDatabase();
  const q = queuectl({ QUEUECTL_DATABASE_URL: database.url });
  await q.ok("enqueue", "true", "--id", "job");
  {
    await using store = await openPostgres({ url: database.url });
    await store.workers.register({
      identity: { ...ownIdentity(), ...identity },
      home: q.home,
      version: "test",
      queues: null,
      worker_ids: ["worker-lost"],
      journal: `${q.home}/none`,
    });
    await claim(store, { worker_ids: ["worker-lost"] });
  }
  return {
    q,
    /** Its last heartbeat is so many seconds ago, and its lease, of so many, moves with it. */
    async heardOf(seconds: number, lease = 30) {
      await using sql = new SQL(database.url, { max: 1 });
      await sql`
        update queuectl.worker_processes
        set heartbeat_at = queuectl.now_ms() - ${seconds * 1000}, lease_until = queuectl.now_ms() + ${(lease - seconds) * 1000}
        where home = ${q.home} and worker_processes.version = 'test'
      `;
    },
    async [Symbol.asyncDispose]() {
      await q[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

describe.skipIf(noPostgres !== undefined).concurrent("of a vanished machine", () => {
  test("the worker is dead in the list once its lease has ended, and not before", async () => {
    await using lost = await vanishedMachine();
    await lost.heardOf(0);
    expect(await lost.q.json("worker", "list")).toMatchObject([{ host: "host-lost", state: "busy" }]);
    await lost.heardOf(31);
    expect(await lost.q.json("worker", "list")).toMatchObject([{ host: "host-lost", state: "dead" }]);
    expect(await lost.q.json("status")).toMatchObject({ active_workers: 0, machines: 0 });
    expect((await lost.q("worker", "stop", "--all-hosts", "--wait")).status).toBe(0);
  });

  test("a job that is cancelled before its lease ends is said to end with it, and --wait ends it then", async () => {
    await using lost = await vanishedMachine();
    await lost.heardOf(12);
    const { status, stderr } = await lost.q("cancel", "job");
    expect(status).toBe(0);
    expect(stderr).toMatch(/on host-lost, which was last heard of [12]\d s ago: .*in 1?\d s; --wait/);
    expect((await lost.q.json("show", "job")).state).toBe("processing");
    const waiting = lost.q.start("cancel", "job", "--wait");
    await waiting.says("host-lost");
    await lost.heardOf(31);
    expect(await waiting.exited).toBe(0);
    expect((await lost.q.json("show", "job")).state).toBe("cancelled");
  });

  test("a job that is cancelled is said to end with the lease that its worker has", async () => {
    await using lost = await vanishedMachine();
    await lost.heardOf(100, 3600);
    expect((await lost.q("cancel", "job")).stderr).toContain("is being ended on host-lost");
    await lost.heardOf(1500, 3600);
    expect((await lost.q("cancel", "job")).stderr).toMatch(
      /last heard of 25m( \d+s)? ago: .* in (35m|34m \d+s)/,
    );
  });

  test("a job whose lease has ended is cancelled by the command line itself, without any worker", async () => {
    await using lost = await vanishedMachine();
    await lost.heardOf(31);
    expect(await lost.q("cancel", "job")).toMatchObject({ status: 0, stderr: "job job is cancelled\n" });
    expect(await lost.q.json("show", "job")).toMatchObject({ state: "cancelled", worker_id: null });
    expect(await lost.q.json("worker", "list")).toEqual([]);
  });

  test("a job is run by the next worker once its lease has ended", async () => {
    await using lost = await vanishedMachine();
    await lost.heardOf(31);
    const worker = lost.q.start("worker");
    await worker.says("job job completed");
    const { attempts_history: runs } = await lost.q.json("show", "job");
    expect(runs).toMatchObject([{ host: "host-lost", result: "lost" }, { result: "exited" }]);
  });

  test("the worker can be forgotten early on request, and its job runs at once", async () => {
    await using lost = await vanishedMachine();
    await lost.heardOf(3);
    expect((await lost.q("worker", "forget", "worker-lost")).status).toBe(2);
    await lost.q.ok("worker", "forget", "worker-lost", "--yes");
    await lost.q.ok("worker", "--until-empty");
    expect((await lost.q.json("show", "job")).state).toBe("completed");
  });

  test("the worker is forgotten unasked once its lease has ended, for then nothing runs twice", async () => {
    await using lost = await vanishedMachine();
    await lost.heardOf(31);
    await lost.q.ok("worker", "forget", "worker-lost");
    expect(await lost.q.json("worker", "list")).toEqual([]);
  });
});

describe.skipIf(noPostgres !== undefined).concurrent("a machine of the same host name", () => {
  for (const other of [{ boot_id: "another-start" }, { pid_namespace: "pid:[1]" }]) {
    test(`that differs by its ${Object.keys(other)} is another one: nobody here takes it for dead or stops it`, async () => {
      // Its pid is that of nobody here.
      await using lost = await vanishedMachine({ ...other, pid: 2 ** 22 + 1 });
      await lost.heardOf(-3600);
      const gate = makeGate(lost.q);
      const worker = lost.q.start("worker");
      await worker.says("waiting for jobs");
      await lost.q.ok("enqueue", gate.command, "--id", "here");
      await gate.reached();
      expect(await lost.q.json("worker", "list")).toMatchObject([{ state: "busy" }, { state: "busy" }]);
      expect(await lost.q.json("status")).toMatchObject({ active_workers: 2, machines: 2 });
      gate.open();
      await lost.q.ok("worker", "stop", "--wait");
      expect(await lost.q.json("worker", "list")).toMatchObject([{ id: "worker-lost", state: "busy" }]);
      expect((await lost.q.json("show", "job")).state).toBe("processing");
    });
  }
});
