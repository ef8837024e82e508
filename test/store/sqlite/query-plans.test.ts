// How SQLite looks for rows: by index, whatever their number.

import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { databasePath } from "../../../src/home.ts";
import { connect } from "../../../src/store/sqlite/connection.ts";
import { jobs } from "../../../src/store/sqlite/jobs.ts";
import { leases } from "../../../src/store/sqlite/leases.ts";
import { matching } from "../../../src/store/sqlite/matching.ts";
import { migrate } from "../../../src/store/sqlite/migrate.ts";
import { stats } from "../../../src/store/sqlite/stats.ts";
import { workers } from "../../../src/store/sqlite/workers.ts";
import type { Store } from "../../../src/store/store.ts";
import { claim, exitWith, newJob, register, settings } from "../../support/sample-jobs.ts";
import { tempFolder } from "../../support/temp-home.ts";

// Real files on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

describe("how rows are found, whatever their number", () => {
  test("all that a worker does looks at jobs by index, and claims by the indexes made for it", async () => {
    using recorded = await recording();
    const { store, clock } = recorded;
    const worker_ids = ["worker-a", "worker-b"];
    const process_id = await register(store, ...worker_ids);
    await store.jobs.enqueue(newJob({ run_at: clock.now + 1000 }));
    const { seq } = await store.jobs.enqueue(newJob());
    for (const queues of [null, ["default"]]) {
      await claim(store, { worker_ids, queues });
      clock.now += 1000;
    }
    await claim(store, { worker_ids, only: seq });
    const taken = await store.leases.takeOver(process_id, process_id + 1);
    const started = taken.map(({ lease }) => ({ lease, pid: 1, pid_start: "" }));
    const ended = taken.map(({ lease }) => ({ lease, ending: exitWith(1) }));
    await store.leases.exchange({ started, ended, settings, wanted: { worker_ids, queues: null } });
    await store.leases.orders(process_id);
    await store.workers.leave(worker_ids);
    await store.stats.outstanding(null);
    const plans = recorded.plans();
    expect(plans).toContain("COVERING INDEX jobs_ready (queue=?)");
    expect(plans).toContain("COVERING INDEX jobs_waiting (queue=? AND next_run_at>? AND next_run_at<?)");
    expectNoWalks(plans);
    const promotion = recorded.texts().filter((text) => text.includes("set ready = 1"));
    expect(promotion.length).toBe(1);
    expect(recorded.planOf(promotion[0]!)).not.toContain("ORDER BY");
  });

  test("all that users do looks at jobs by index", async () => {
    using recorded = await recording();
    const { store } = recorded;
    const { id, seq } = await store.jobs.enqueue(newJob({ tags: ["x"] }));
    await store.jobs.find(id);
    await store.jobs.find(id.slice(0, 5));
    for (const filter of [{}, { state: "pending" as const }, { queue: "default" }, { tag: "x" }]) {
      await store.jobs.list(filter, { limit: 50 });
      await store.jobs.list(filter, { limit: 50, before: seq });
    }
    await store.jobs.attempts(seq);
    await store.jobs.cancel([seq]);
    await store.jobs.retry([seq]);
    await store.jobs.delete([seq]);
    await store.matching.change("retry", { state: "dead" }, { limit: 10 });
    await store.matching.change("delete", { state: "dead" }, { limit: 10 });
    await store.jobs.prune(0, 10, ["completed", "dead", "cancelled"]);
    await store.jobs.finishedBefore(0, "dead");
    await store.stats.read();
    await store.jobs.enqueueOnce(newJob({ unique: { key: "k", seconds: 10 } }));
    await store.jobs.enqueueOnce(newJob({ id: "only.one" }), "only.");
    const plans = recorded.plans();
    expect(plans).toContain("INDEX jobs_unique_unsettled (unique_key=?)");
    expect(plans).toContain("COVERING INDEX jobs_by_state (queue=? AND state=? AND seq>? AND seq<?)");
    expect(plans).toContain("INDEX jobs_finished (state=? AND finished_at<?)");
    expectNoWalks(plans);
  });
});

/** What grows with the history is never read from end to end, nor sorted but in parts that a limit has already cut. */
function expectNoWalks(plans: string): void {
  const walks = plans.split("\n\n").filter((plan) => /SCAN (jobs|attempts|job_tags)\b/.test(plan));
  expect(walks).toEqual([]);
  for (const plan of plans.split("\n\n")) {
    if (!plan.includes("USE TEMP B-TREE FOR ORDER BY")) continue;
    expect(plan).toMatch(/jobs\.seq in \( select seq from jobs where [^()]* limit \$limit \)/);
    expect(plan).not.toMatch(/^ +USE TEMP B-TREE/m);
  }
}

/** A store that remembers what it asked SQLite, and another connection to ask how SQLite would find it. */
async function recording() {
  const folder = tempFolder();
  const path = databasePath(folder.path);
  const clock = { now: Date.UTC(2026, 0, 1) };
  const db = new Database(path, { create: true, strict: true });
  const connection = connect(path, db, () => clock.now);
  await migrate(connection);
  const texts = new Set<string>();
  const recorder = {
    ...connection,
    sql(text: string) {
      texts.add(text);
      return connection.sql(text);
    },
  };
  const store = {
    jobs: jobs(recorder),
    matching: matching(recorder),
    leases: leases(recorder),
    workers: workers(recorder),
    stats: stats(recorder),
  } as Store;
  const other = new Database(path, { readonly: true });
  const planOf = (text: string) => {
    const rows = other
      .query<{ id: number; parent: number; detail: string }, []>(`explain query plan ${text}`)
      .all();
    const depth = (id: number): number => {
      const row = rows.find((row) => row.id === id);
      return row ? depth(row.parent) + 1 : 0;
    };
    return rows.map(({ parent, detail }) => "  ".repeat(depth(parent)) + detail).join("\n");
  };
  return {
    store,
    clock,
    texts: () => [...texts],
    planOf,
    /** Each statement on a line, and its plan under it. */
    plans: () =>
      [...texts]
        .filter((text) => !/^\s*insert/.test(text))
        .map((text) => `${text.trim().replace(/\s+/g, " ")}\n${planOf(text)}`)
        .join("\n\n"),
    [Symbol.dispose]() {
      other.close();
      connection.close();
      folder[Symbol.dispose]();
    },
  };
}
