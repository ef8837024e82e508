// Many who change the same jobs at once: whoever is in the way of another waits or tries again, and no one is refused for it.

import { expect, setDefaultTimeout, test } from "bun:test";
import { openPostgres } from "../../../src/store/postgres/open.ts";
import type { Store } from "../../../src/store/store.ts";
import { noPostgres, postgresServer } from "../../support/postgres-server.ts";
import { claim, exitWith, newJob, register, settings } from "../../support/sample-jobs.ts";

setDefaultTimeout(120_000);

const clients = 10;
const rounds = 25;

/** What another client's change makes impossible is refused; that somebody was in the way is not. */
async function unlessChanged(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!["wrong_state", "not_found"].includes(error.kind)) throw error;
  });
}

test.skipIf(noPostgres !== undefined)(
  "cancel, retry, delete, claim, settle and take-over of the same jobs: no deadlock reaches anybody, and the counts are right",
  async () => {
    await using database = await (await postgresServer()).newDatabase();
    const stores = await Promise.all(
      Array.from({ length: clients }, () => openPostgres({ url: database.url })),
    );
    try {
      await Promise.all(stores.map((store, n) => live(store, n)));
      const jobs = await stores[0]!.jobs.list({}, { limit: 0 });
      const stats = await stores[0]!.stats.read();
      for (const state of ["pending", "processing", "completed", "dead", "cancelled"] as const) {
        expect([state, stats[state]]).toEqual([state, jobs.jobs.filter((job) => job.state === state).length]);
      }
    } finally {
      for (const store of stores) await store[Symbol.asyncDispose]();
    }
  },
);

/** One client's wild life. */
async function live(store: Store, n: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all([store.jobs.enqueue(newJob()), store.jobs.enqueue(newJob({ max_retries: 0 }))]);
    const name = `worker-${n}-${round}`;
    const process_id = await register(store, name);
    const held = await claim(store, { worker_ids: [name] });
    const { jobs } = await store.jobs.list({}, { limit: 8 });
    // Each in an order of its own.
    const seqs = jobs.map(({ seq }) => seq).toSorted(() => Math.random() - 0.5);
    const ended = held.map(({ lease }) => ({ lease, ending: exitWith(Math.random() < 0.5 ? 0 : 1) }));
    const successor = await register(store, `${name}-next`);
    await Promise.all([
      unlessChanged(store.jobs.cancel(seqs.slice(0, 2))),
      unlessChanged(store.jobs.retry(seqs.slice(2, 4))),
      unlessChanged(store.jobs.delete(seqs.slice(4, 6))),
      unlessChanged(store.matching.change(round % 2 === 0 ? "cancel" : "retry", {}, { limit: 4 })),
      store.leases.exchange({ started: [], ended, settings, wanted: { worker_ids: [name], queues: null } }),
      store.leases.takeOver(process_id, successor),
      store.leases.mendRetries(),
      store.jobs.prune(0, 10),
    ]);
  }
}
