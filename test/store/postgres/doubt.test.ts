// Turns whose answer never came.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import { noPostgres, postgresServer } from "../../support/postgres-server.ts";
import { claim, exitWith, newJob, register, settings } from "../../support/sample-jobs.ts";
import { tcpProxy } from "../../support/tcp-proxy.ts";
import { waitUntil } from "../../support/wait-until.ts";

setDefaultTimeout(180_000);

describe.skipIf(noPostgres !== undefined)("a turn that broke off", () => {
  test("does not hand out the job anew that it was to settle, whether it was done or not", async () => {
    await using database = await (await postgresServer()).newDatabase();
    await using proxy = await tcpProxy(database.url);
    await using store = await openPostgres({ url: proxy.url });
    await register(store, "worker-a");
    const job = await store.jobs.enqueue(newJob());
    const [first] = await claim(store);
    const turn = {
      started: [],
      ended: [{ lease: first!.lease, ending: exitWith(0) }],
      settings,
      wanted: { worker_ids: ["worker-a"], queues: null },
    };
    await proxy.swallow();
    const broken = store.leases.exchange(turn).catch((error: Error) => error);
    // Whatever was on its way is lost with the connections.
    await Bun.sleep(50);
    await proxy.refuse();
    expect(await broken).toBeInstanceOf(Error);
    await proxy.pass();
    const { settled, claimed, stale } = await store.leases.exchange(turn);
    expect(claimed).toEqual([]);
    expect(stale).toEqual([]);
    expect(settled.map(({ id, state }) => ({ id, state }))).toEqual([{ id: job.id, state: "completed" }]);
    await waitUntil("nothing runs", async () => (await store.stats.read()).processing === 0);
  });
});
