import { describe, expect, test } from "bun:test";
import { type JobState, jobStates } from "../../../src/domain/job.ts";
import type { JobFilter, Page } from "../../../src/store/jobs.ts";
import type { Store } from "../../../src/store/store.ts";
import {
  exitWith,
  jobIn,
  newJob,
  refusalOf,
  runAgain,
  runningJob,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function lookupContract(makeStore: MakeStore): void {
  test("all jobs follow one another in the order of their enqueuing, some at a time", async () => {
    await using temp = await makeStore();
    const { jobs } = temp.store;
    for (const state of jobStates) await jobIn(temp.store, state, { queue: `q-${state}`, tags: [state] });
    const { jobs: newestFirst } = await jobs.list({}, { limit: 0 });
    const found: unknown[] = [];
    for (let after = 0; ; ) {
      const some = await jobs.following(after, 4);
      if (some.length === 0) break;
      found.push(...some);
      after = some.at(-1)!.seq;
    }
    expect(found).toEqual(newestFirst.toReversed());
  });

  test("states are those of the jobs asked for, and a job that is no more has none", async () => {
    await using temp = await makeStore();
    const { jobs } = temp.store;
    const seqs = new Map<number, JobState>();
    for (const state of jobStates) seqs.set((await jobIn(temp.store, state)).seq, state);
    const { seq: gone } = await jobs.enqueue(newJob());
    await jobs.enqueue(newJob());
    await jobs.delete([gone]);
    const wanted = [...seqs.keys()];
    expect([...(await jobs.states([...wanted, gone, wanted[0]!, 2 ** 40]))].sort()).toEqual([...seqs].sort());
    expect((await jobs.states([])).size).toBe(0);
  });

  describe("find", () => {
    const cases: { ids: string[]; wanted: string; found: string }[] = [
      { ids: ["build", "build-2"], wanted: "build", found: "build" },
      { ids: ["abc1", "abd2"], wanted: "abc", found: "abc1" },
      { ids: ["007", "7", "7.0"], wanted: "007", found: "007" },
      { ids: ["1e3", "1000"], wanted: "1e3", found: "1e3" },
      { ids: ["007x", "7x"], wanted: "7", found: "7x" },
      { ids: ["Abc", "abd"], wanted: "a", found: "abd" },
      { ids: ["a_b", "axb"], wanted: "a_", found: "a_b" },
      { ids: ["a.b:c", "a-b"], wanted: "a.b:", found: "a.b:c" },
      { ids: ["az", "b"], wanted: "a", found: "az" },
    ];
    for (const { ids, wanted, found } of cases) {
      test(`of ${ids.join(", ")}, ${wanted} means ${found}`, async () => {
        await using temp = await makeStore();
        for (const id of ids) await temp.store.jobs.enqueue(newJob({ id }));
        expect((await temp.store.jobs.find(wanted)).id).toBe(found);
      });
    }

    test("what no id begins with is not found", async () => {
      await using temp = await makeStore();
      await temp.store.jobs.enqueue(newJob({ id: "abc" }));
      for (const wanted of ["abcd", "b", "bc", "", "%", "a%", "_", "'", "a b", "~", "ABC", "a".repeat(65)]) {
        const refusal = await refusalOf(temp.store.jobs.find(wanted));
        expect(`${wanted}: ${refusal.kind}`).toBe(`${wanted}: not_found`);
      }
    });

    test("a prefix of several ids is ambiguous, and the refusal names some of them", async () => {
      await using temp = await makeStore();
      for (const id of ["job-1", "job-2"]) await temp.store.jobs.enqueue(newJob({ id }));
      const refusal = await refusalOf(temp.store.jobs.find("job"));
      expect(refusal.kind).toBe("ambiguous");
      expect(refusal.message).toContain("job-1");
      expect(refusal.message).toContain("job-2");
      for (const id of ["job-3", "job-4", "job-5"]) await temp.store.jobs.enqueue(newJob({ id }));
      expect((await refusalOf(temp.store.jobs.find("job"))).message).not.toContain("job-5");
    });

    test("a deleted job is not found", async () => {
      await using temp = await makeStore();
      const { seq } = await temp.store.jobs.enqueue(newJob({ id: "gone" }));
      await temp.store.jobs.delete([seq]);
      expect((await refusalOf(temp.store.jobs.find("gone"))).kind).toBe("not_found");
    });
  });

  describe("list", () => {
    test("an empty queue has an empty list", async () => {
      await using temp = await makeStore();
      expect(await temp.store.jobs.list({}, { limit: 10 })).toEqual({ jobs: [], damaged: [], total: 0 });
    });

    test("the newest come first, whatever queue and state they are in", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (const [n, state] of jobStates.entries()) {
        await jobIn(store, state, { id: `${n}-${state}`, queue: `q${n % 2}` });
      }
      expect(await listed(store, {})).toEqual({
        ids: ["5-cancelled", "4-dead", "3-failed", "2-completed", "1-processing", "0-pending"],
        total: 6,
      });
    });

    test("a list shows whole jobs", async () => {
      await using temp = await makeStore();
      const job = await jobIn(temp.store, "dead", { tags: ["x"], env: { A: "1" } });
      for (const filter of [{}, { tag: "x" }, { search: "tr" }, { state: "dead" as const }]) {
        expect(await temp.store.jobs.list(filter, { limit: 1 })).toEqual({
          jobs: [job],
          damaged: [],
          total: 1,
        });
      }
    });

    const filters: { filter: JobFilter; ids: string[] }[] = [
      { filter: { state: "pending" }, ids: ["e", "d", "b", "a"] },
      { filter: { state: "completed" }, ids: ["c"] },
      { filter: { state: "dead" }, ids: [] },
      { filter: { queue: "mail" }, ids: ["d", "c"] },
      { filter: { queue: "nowhere" }, ids: [] },
      { filter: { tag: "x" }, ids: ["d", "c", "a"] },
      { filter: { tag: "X" }, ids: [] },
      { filter: { search: "send" }, ids: ["d", "c"] },
      { filter: { search: "SEND" }, ids: ["d", "c"] },
      { filter: { search: "100%" }, ids: ["e"] },
      { filter: { search: "%" }, ids: ["e"] },
      { filter: { search: "_" }, ids: ["e"] },
      { filter: { search: "\\" }, ids: ["e"] },
      { filter: { search: "'" }, ids: ["b"] },
      { filter: { state: "pending", queue: "mail" }, ids: ["d"] },
      { filter: { state: "completed", queue: "default" }, ids: [] },
      { filter: { state: "pending", tag: "x" }, ids: ["d", "a"] },
      { filter: { queue: "mail", tag: "y" }, ids: ["d"] },
      { filter: { tag: "x", search: "now" }, ids: ["d"] },
      { filter: { state: "completed", queue: "mail", tag: "x", search: "send" }, ids: ["c"] },
    ];
    for (const { filter, ids } of filters) {
      test(`${JSON.stringify(filter)} lists ${ids.join(", ") || "nothing"}`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        await jobIn(store, "pending", { id: "a", tags: ["x"], command: "ls" });
        await jobIn(store, "pending", { id: "b", command: "echo 'it'" });
        await jobIn(store, "completed", { id: "c", queue: "mail", tags: ["x"], command: "Send" });
        await jobIn(store, "pending", { id: "d", queue: "mail", tags: ["y", "x"], command: "send Now" });
        await jobIn(store, "pending", { id: "e", command: "printf '100%_\\n'".replaceAll("'", '"') });
        expect(await listed(store, filter)).toEqual({ ids, total: ids.length });
      });
    }

    test("a search finds parts of ids in either case", async () => {
      await using temp = await makeStore();
      await temp.store.jobs.enqueue(newJob({ id: "Nightly-Report" }));
      await temp.store.jobs.enqueue(newJob({ id: "other" }));
      for (const search of ["ly-rep", "LY-REP"]) {
        expect((await listed(temp.store, { search })).ids).toEqual(["Nightly-Report"]);
      }
    });

    for (const filter of [
      {},
      { tag: "x" },
      { search: "true" },
      { state: "pending" as const },
      { queue: "q1" },
    ]) {
      test(`pages of ${JSON.stringify(filter)} follow each other without gap, and each tells the total`, async () => {
        await using temp = await makeStore();
        const { store } = temp;
        for (let n = 0; n < 10; n++) {
          await store.jobs.enqueue(newJob({ id: `job-${n}`, tags: ["x"], queue: "q1" }));
          await store.jobs.enqueue(
            newJob({ id: `other-${n}`, tags: ["y"], queue: `q${n}`, command: "false" }),
          );
        }
        const all = await listed(store, filter, { limit: 0 });
        expect(all.ids.length).toBe(all.total);
        expect(all.total).toBeGreaterThan(9);
        const ids: string[] = [];
        for (let before: number | undefined; ; ) {
          const { jobs, total } = await store.jobs.list(filter, { limit: 4, before });
          expect(total).toBe(all.total);
          expect(jobs.length).toBe(Math.min(4, total - ids.length));
          ids.push(...jobs.map(({ id }) => id));
          if (jobs.length < 4) break;
          before = jobs.at(-1)!.seq;
        }
        expect(ids).toEqual(all.ids);
      });
    }
  });

  describe("attempts", () => {
    test("every attempt is kept, the oldest first, and the one that runs has no end yet", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { job, lease } = await runningJob(store);
      await settle(store, lease, exitWith(1));
      await store.jobs.retry([job.seq]);
      clock.now += 500;
      const { worker_id } = await runAgain(store, job.seq);
      const attempts = await store.jobs.attempts(job.seq);
      expect(attempts.map(({ number, result }) => [number, result])).toEqual([
        [1, "exited"],
        [2, null],
      ]);
      expect(attempts[1]).toEqual({
        number: 2,
        result: null,
        worker_id,
        host: "here",
        pid: null,
        started_at: clock.now,
        finished_at: null,
        duration: null,
        exit_code: null,
        signal: null,
        error: null,
        note: null,
        cpu_time: null,
        peak_memory: null,
        log_bytes: 0,
        log_truncated: false,
        log_left_out: 0,
      });
    });

    test("a job that never ran and one that never was have none", async () => {
      await using temp = await makeStore();
      const { seq } = await temp.store.jobs.enqueue(newJob());
      expect(await temp.store.jobs.attempts(seq)).toEqual([]);
      expect(await temp.store.jobs.attempts(seq + 1)).toEqual([]);
    });

    test("a job and its attempts are told as they were at one moment, though it is settled meanwhile", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      for (let round = 0; round < 10; round++) {
        const { job, lease } = await runningJob(store);
        const seen = new Set<string>();
        const look = async () => {
          const { job: now, attempts } = await store.jobs.history(job.id);
          seen.add(`${now.state}: ${attempts.map(({ result }) => result)}`);
        };
        let isSettled = false;
        const early = look();
        const settling = settle(store, lease, exitWith(0)).finally(() => (isSettled = true));
        do await Promise.all([early, look(), look(), look()]);
        while (!isSettled);
        await settling;
        expect(["processing: ", "completed: exited"]).toEqual(expect.arrayContaining([...seen]));
      }
      const { id } = await jobIn(store, "completed", { id: "by-its-beginning" });
      expect((await store.jobs.history("by-its")).job.id).toBe(id);
      expect(await refusalOf(store.jobs.history("nowhere"))).toMatchObject({ kind: "not_found" });
    });

    test("attempts go with their job", async () => {
      await using temp = await makeStore();
      const { seq } = await jobIn(temp.store, "completed");
      expect((await temp.store.jobs.attempts(seq)).length).toBe(1);
      await temp.store.jobs.delete([seq]);
      expect(await temp.store.jobs.attempts(seq)).toEqual([]);
    });
  });
}

async function listed(store: Store, filter: JobFilter, page: Page = { limit: 100 }) {
  const { jobs, total } = await store.jobs.list(filter, page);
  return { ids: jobs.map(({ id }) => id), total };
}
