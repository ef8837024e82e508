import { describe, expect, test } from "bun:test";
import { jobStates } from "../../../src/domain/job.ts";
import type { JobFilter } from "../../../src/store/jobs.ts";
import type { Store } from "../../../src/store/store.ts";
import { allJobs, asyncly, jobIn, newJob } from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

const all = { limit: 1000, scan: 1000 };

async function walk(store: Store, filter: JobFilter, limit: number, scan: number) {
  const pages: string[][] = [];
  let before: number | undefined;
  do {
    const page = await store.matching.page(filter, { limit, scan, before });
    pages.push(page.jobs.map(({ id }) => id));
    before = page.older;
  } while (before !== undefined);
  return pages;
}

export function matchingContract(makeStore: MakeStore): void {
  describe("matching: pages", () => {
    test("an empty queue is one empty page", async () => {
      await using temp = await makeStore();
      expect(await temp.store.matching.page({}, all)).toEqual({ jobs: [], older: undefined, total: 0 });
      expect(await temp.store.matching.newest()).toBe(0);
    });

    for (const filter of [
      {},
      { queue: "mail" },
      { state: "pending" },
      { tag: "x" },
      { search: "echo" },
    ] as JobFilter[]) {
      test(`pages by ${JSON.stringify(filter)} show each job once, the newest first, and end`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        for (let n = 0; n < 7; n++)
          await store.jobs.enqueue(newJob({ id: `job-${n}`, queue: "mail", tags: ["x"], command: "echo" }));
        expect(await walk(store, filter, 3, 1000)).toEqual([
          ["job-6", "job-5", "job-4"],
          ["job-3", "job-2", "job-1"],
          ["job-0"],
        ]);
      });
    }

    test("what is enqueued meanwhile moves no page", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (let n = 0; n < 4; n++) await store.jobs.enqueue(newJob({ id: `job-${n}` }));
      const first = await store.matching.page({}, { limit: 2, scan: 10 });
      await store.jobs.enqueue(newJob({ id: "late" }));
      const second = await store.matching.page({}, { limit: 2, scan: 10, before: first.older });
      expect(second.jobs.map(({ id }) => id)).toEqual(["job-1", "job-0"]);
    });

    test("the total is counted by state and queue, and unknown for a text or a tag", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (const state of jobStates) await jobIn(store, state, { queue: "mail", tags: ["x"] });
      expect((await store.matching.page({ queue: "mail" }, all)).total).toBe(6);
      expect((await store.matching.page({ state: "dead" }, all)).total).toBe(1);
      expect((await store.matching.page({ queue: "other" }, all)).total).toBe(0);
      expect((await store.matching.page({ tag: "x" }, all)).total).toBeUndefined();
      expect((await store.matching.page({ search: "e" }, all)).total).toBeUndefined();
    });

    test("a search looks at so many jobs, and says where to go on", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob({ id: "wanted", command: "needle" }));
      for (let n = 0; n < 10; n++) await store.jobs.enqueue(newJob({ id: `hay-${n}`, command: "true" }));
      const first = await store.matching.page({ search: "needle" }, { limit: 5, scan: 6 });
      expect(first.jobs).toEqual([]);
      const second = await store.matching.page(
        { search: "needle" },
        { limit: 5, scan: 6, before: first.older },
      );
      expect(second.jobs.map(({ id }) => id)).toEqual(["wanted"]);
      expect(second.older).toBeUndefined();
    });

    test("a job is found by the beginning of its id however old it is", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob({ id: "k3wanted" }));
      for (let n = 0; n < 10; n++) await store.jobs.enqueue(newJob({ id: `hay-${n}` }));
      const page = await store.matching.page({ search: "k3w" }, { limit: 5, scan: 3 });
      expect(page.jobs.map(({ id }) => id)).toEqual(["k3wanted"]);
      expect(
        (await store.matching.page({ search: "k3w", state: "dead" }, { limit: 5, scan: 3 })).jobs,
      ).toEqual([]);
    });

    test("state, queue, tag and text are all asked for, letters of either case, and a text is no pattern", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const wanted = await jobIn(store, "dead", {
        id: "a",
        queue: "mail",
        tags: ["x"],
        command: "Send 100%",
      });
      await jobIn(store, "dead", { id: "b", queue: "mail", tags: ["y"], command: "send 100%" });
      await jobIn(store, "dead", { id: "c", queue: "other", tags: ["x"], command: "send 100%" });
      await jobIn(store, "completed", { id: "d", queue: "mail", tags: ["x"], command: "send 100%" });
      await jobIn(store, "dead", { id: "e", queue: "mail", tags: ["x"], command: "send 100 %" });
      const filter = { state: "dead", queue: "mail", tag: "x", search: "send 100%" } as const;
      expect((await store.matching.page(filter, all)).jobs.map(({ id }) => id)).toEqual([wanted.id]);
    });

    test("a state in more queues than are merged is found all the same", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (let n = 0; n < 40; n++)
        await store.jobs.enqueue(newJob({ id: `job-${n}`, queue: `q${n}`, command: "needle" }));
      const found = await walk(store, { state: "pending", search: "needle" }, 7, 11);
      expect(found.flat()).toEqual(Array.from({ length: 40 }, (_, n) => `job-${39 - n}`));
    });

    test.each([
      ["as many of each", (n: number) => n % 40],
      ["most of them in one", (n: number) => Math.max(0, n - 60)],
    ])("the newest of a state in many queues are found, %s", async (_, queueOf) => {
      await using temp = await makeStore();
      const { store } = temp;
      const names = Array.from({ length: 100 }, (_, n) => `job-${n}`);
      await store.jobs.enqueueAll(asyncly(names.map((id, n) => newJob({ id, queue: `q${queueOf(n)}` }))));
      for (const limit of [1, 7, 39, 60, 100, 200]) {
        const filter = { state: "pending" } as const;
        expect((await walk(store, filter, limit, 1)).flat()).toEqual(names.toReversed());
        const { jobs } = await store.jobs.list(filter, { limit, before: 51 });
        expect(jobs.map(({ seq }) => seq)).toEqual(
          Array.from({ length: Math.min(limit, 50) }, (_, n) => 50 - n),
        );
      }
    });
  });

  describe("matching: changes", () => {
    for (const [change, expected] of [
      ["retry", { pending: 5, processing: 1, completed: 0, failed: 0, dead: 0, cancelled: 0 }],
      ["cancel", { pending: 0, processing: 1, completed: 1, failed: 0, dead: 1, cancelled: 3 }],
      ["delete", { pending: 0, processing: 1, completed: 0, failed: 0, dead: 0, cancelled: 0 }],
    ] as const) {
      test(`${change} of all leaves alone what it cannot be done to, and the counts are right`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        for (const state of jobStates) await jobIn(store, state);
        const { changed, left, removed, older } = await store.matching.change(change, {}, { limit: 100 });
        expect(older).toBeUndefined();
        expect(changed + left).toBe(6);
        expect(removed.length).toBe(change === "delete" ? 5 : 0);
        const counted = await store.stats.read();
        expect(counted).toMatchObject(expected);
        const found = Object.groupBy(await allJobs(store), ({ state }) => state);
        for (const state of jobStates) expect(found[state]?.length ?? 0).toBe(expected[state]);
      });
    }

    test("batches see each job once, though what they do changes who matches", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (let n = 0; n < 9; n++) await jobIn(store, n % 3 === 0 ? "completed" : "dead", { tags: ["x"] });
      for (const filter of [{ state: "dead" }, { tag: "x", state: "completed" }] as const) {
        let changed = 0;
        let before: number | undefined;
        do {
          const some = await store.matching.change("retry", filter, { limit: 2, before });
          changed += some.changed;
          before = some.older;
        } while (before !== undefined);
        expect(changed).toBe(filter.state === "dead" ? 6 : 3);
      }
      expect((await store.stats.read()).pending).toBe(9);
    });

    test("jobs enqueued after the question are left alone", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob({ id: "old" }));
      const newest = await store.matching.newest();
      await store.jobs.enqueue(newJob({ id: "new" }));
      expect(await store.matching.change("delete", {}, { limit: 10, before: newest + 1 })).toMatchObject({
        changed: 1,
      });
      expect((await allJobs(store)).map(({ id }) => id)).toEqual(["new"]);
    });

    test("counting by windows finds as many as there are", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (let n = 0; n < 10; n++)
        await store.jobs.enqueue(newJob({ command: n % 2 === 0 ? "needle" : "hay" }));
      let jobs = 0;
      let before: number | undefined;
      do {
        const some = await store.matching.count({ search: "NEEDLE" }, { limit: 3, before });
        jobs += some.jobs;
        before = some.older;
      } while (before !== undefined);
      expect(jobs).toBe(5);
    });
  });
}
