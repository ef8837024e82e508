// Promise 11: a schedule comes once. However many workers there are, and whichever of them die, each time becomes exactly one job;
// times that no worker was there for become what the user chose.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { MissedPolicy } from "../../src/domain/schedule.ts";
import { readCron } from "../../src/input/cron.ts";
import { openStore, placeOf } from "../../src/store/open.ts";
import { queuectl } from "../support/queuectl.ts";
import { newJob } from "../support/sample-jobs.ts";
import { postgres } from "../support/temp-postgres.ts";
import { sqlite } from "../support/temp-sqlite.ts";
import type { StoreKind } from "../support/temp-store.ts";
import { waitUntil } from "../support/wait-until.ts";

// Real processes on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(120_000);

const hour = 3_600_000;

async function queueOn(kind: StoreKind) {
  const database = await kind.makeDatabase();
  const q = queuectl(database.environment);
  return {
    q,
    open: () => openStore(placeOf(database.environment)),
    async [Symbol.asyncDispose]() {
      await q[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

for (const kind of [sqlite, postgres]) {
  describe.skipIf(kind.missing !== undefined)(kind.name, () => {
    test("three workers make one job of each second, and go on when one of them is killed", async () => {
      await using here = await queueOn(kind);
      const { q } = here;
      const ledger = join(q.folder, "ledger");
      const workers = [1, 2, 3].map(() => q.start("worker", "--count", "2"));
      for (const worker of workers) await worker.says("started");
      await q.ok(
        "schedule",
        "add",
        "tick",
        "* * * * * *",
        `echo $QUEUECTL_JOB_ID >> '${ledger}'`,
        "--overlap",
        "queue",
        "--missed",
        "all",
      );
      const lines = () => (existsSync(ledger) ? readFileSync(ledger, "utf8").trim().split("\n") : []);
      await waitUntil("some have run", () => lines().length >= 3);
      workers[0]!.kill("SIGKILL");
      const before = lines().length;
      await waitUntil("others run", () => lines().length >= before + 4, 60_000);
      await q.ok("schedule", "pause", "tick");
      await waitUntil(
        "all have run",
        async () => {
          const { pending, processing, failed } = await q.json("status");
          return pending + processing + failed === 0;
        },
        60_000,
      );

      await using store = await here.open();
      const runs = await store.schedules.runs("tick", 1000);
      const times = runs.map(({ at }) => at!).toSorted((a, b) => a - b);
      expect(times.length).toBeGreaterThan(6);
      // Each second from the first to the last, and none twice.
      expect(times).toEqual(times.map((_, index) => times[0]! + index * 1000));
      // Whoever was killed while a command ran may have it run again; no other job has a second line.
      const rerun = new Set(
        (await Promise.all(runs.map(async ({ job }) => [job, await store.jobs.attempts(job.seq)] as const)))
          .filter(([, attempts]) => attempts.length > 1)
          .map(([{ id }]) => id),
      );
      const ids = lines().filter((id) => !rerun.has(id));
      expect(ids.toSorted()).toEqual(
        runs
          .map(({ job }) => job.id)
          .filter((id) => !rerun.has(id))
          .toSorted(),
      );
      expect((await store.jobs.list({}, { limit: 0 })).total).toBe(runs.length);
    });

    const policies: { missed: MissedPolicy; becomes: (times: readonly number[]) => readonly number[] }[] = [
      { missed: "skip", becomes: () => [] },
      { missed: "one", becomes: (times) => times.slice(-1) },
      { missed: "all", becomes: (times) => times },
    ];
    for (const { missed, becomes } of policies) {
      test(`of times that no worker was there for, ${missed} become jobs when three are there at once`, async () => {
        await using here = await queueOn(kind);
        await using store = await here.open();
        const now = await store.now();
        // Twice an hour, and neither soon nor just now.
        const minute = (new Date(now).getUTCMinutes() + 10) % 30;
        const cron = `${minute},${minute + 30} * * * *`;
        const { next } = readCron(cron, "UTC");
        const { id: _, run_at: __, ...job } = newJob();
        const first = next(now - 3 * hour)!;
        await store.schedules.add([
          { name: "s", cron, tz: "UTC", missed, overlap: "skip", jitter: 0, job, next_at: first },
        ]);
        for (const _ of [1, 2, 3]) here.q.start("worker");
        const planned = next(now);
        await waitUntil(
          "it goes on with the next time",
          async () => (await store.schedules.find("s")).next_at === planned,
        );
        const times: number[] = [];
        for (let time: number | null = first; time !== null && time < now; time = next(time))
          times.push(time);
        expect(times).toHaveLength(6);
        const runs = await store.schedules.runs("s", 100);
        expect(runs.map(({ at }) => at!).toReversed()).toEqual([...becomes(times)]);
        expect((await store.schedules.find("s")).missed_at).toBe(missed === "skip" ? times.at(-1)! : null);
      });
    }

    test("a schedule that was planned by a clock far ahead comes as soon as it should", async () => {
      await using here = await queueOn(kind);
      await using store = await here.open();
      const { id: _, run_at: __, ...job } = newJob();
      const next_at = (await store.now()) + 365 * 24 * hour;
      await store.schedules.add([
        {
          name: "s",
          cron: "* * * * * *",
          tz: "UTC",
          missed: "one",
          overlap: "queue",
          jitter: 0,
          job,
          next_at,
        },
      ]);
      here.q.start("worker");
      await waitUntil("it makes jobs", async () => (await store.schedules.runs("s", 2)).length === 2);
    });
  });
}
