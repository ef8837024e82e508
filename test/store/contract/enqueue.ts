import { describe, expect, test } from "bun:test";
import { isId } from "../../../src/domain/id.ts";
import type { NewJob } from "../../../src/domain/job.ts";
import { allJobs, asyncly, claim, kept, newJob, refusalOf, register } from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function enqueueContract(makeStore: MakeStore): void {
  describe("enqueue", () => {
    test("a new job is pending, may run at once, and has no history", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const given = newJob({
        id: "thumbs-1",
        command: "make thumbs",
        max_retries: 7,
        priority: 4,
        timeout: 1.5,
        queue: "images",
        tags: ["b", "a"],
        cwd: "/srv",
        env: { LANG: "C" },
      });
      const job = await store.jobs.enqueue(given);
      expect(job).toEqual({
        ...kept(given),
        id: "thumbs-1",
        seq: job.seq,
        state: "pending",
        attempts: 0,
        unmet: 0,
        run_at: clock.now,
        next_run_at: clock.now,
        created_at: clock.now,
        updated_at: clock.now,
        started_at: null,
        finished_at: null,
        last_exit_code: null,
        last_error: null,
        last_duration: null,
        worker_id: null,
      });
      expect(await store.jobs.attempts(job.seq)).toEqual([]);
    });

    test("an acknowledged job is there for everyone", async () => {
      await using temp = await makeStore();
      const job = await temp.store.jobs.enqueue(newJob({ tags: ["x"], env: { A: "1" } }));
      const other = await temp.another();
      expect(await other.jobs.find(job.id)).toEqual(job);
    });

    test("a job keeps the moment it was scheduled for, past or future", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      for (const run_at of [clock.now + 90_000, clock.now - 90_000]) {
        expect(await store.jobs.enqueue(newJob({ run_at }))).toMatchObject({
          state: "pending",
          run_at,
          next_run_at: run_at,
          created_at: clock.now,
        });
      }
    });

    test("texts come back as they went in", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const odd = `'quotes' "too" \\ $HOME %s ? \t\n\r ä 日本 🦀 \u0001`;
      const given = newJob({
        command: odd,
        cwd: `/tmp/${odd}`,
        env: { ODD: odd, EMPTY: "", __proto: "x", constructor: "y" },
        tags: ["ä", "🦀", "'", '"', "a".repeat(64)],
      });
      const { id } = await store.jobs.enqueue(given);
      expect(await store.jobs.find(id)).toMatchObject({ ...kept(given), id, run_at: expect.any(Number) });
    });

    test("a command as long as Linux takes it is stored whole", async () => {
      await using temp = await makeStore();
      const command = `echo ${"x".repeat(128 * 1024 - 6)}`;
      const { id } = await temp.store.jobs.enqueue(newJob({ command }));
      expect((await temp.store.jobs.find(id)).command === command).toBeTrue();
    });

    test("generated ids are valid, short and unique", async () => {
      await using temp = await makeStore();
      const ids = new Set<string>();
      for (let n = 0; n < 50; n++) ids.add((await temp.store.jobs.enqueue(newJob())).id);
      expect(ids.size).toBe(50);
      for (const id of ids) expect(isId(id) && id.length <= 12 ? "fine" : id).toBe("fine");
    });

    test("a taken id is refused by name, and nothing changes", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const first = await store.jobs.enqueue(newJob({ id: "twice", tags: ["old"] }));
      clock.now += 1000;
      const refusal = await refusalOf(store.jobs.enqueue(newJob({ id: "twice", tags: ["new"], queue: "q" })));
      expect(refusal.kind).toBe("conflict");
      expect(refusal.message).toContain("twice");
      expect(await allJobs(store)).toEqual([first]);
      expect((await store.jobs.list({ tag: "new" }, { limit: 0 })).total).toBe(0);
      expect(await store.stats.outstanding(null)).toBe(1);
      expect(await store.stats.outstanding(["q"])).toBe(0);
    });

    test("ids that differ in case are different", async () => {
      await using temp = await makeStore();
      await temp.store.jobs.enqueue(newJob({ id: "job" }));
      await temp.store.jobs.enqueue(newJob({ id: "JOB" }));
      expect((await allJobs(temp.store)).map(({ id }) => id)).toEqual(["JOB", "job"]);
    });

    test("the number of a job grows and is never given again", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const first = await store.jobs.enqueue(newJob());
      const second = await store.jobs.enqueue(newJob());
      expect(second.seq).toBeGreaterThan(first.seq);
      await store.jobs.delete([first.seq, second.seq]);
      expect((await store.jobs.enqueue(newJob())).seq).toBeGreaterThan(second.seq);
    });
  });

  describe("enqueueAll", () => {
    test("many jobs are stored in the order of their source, and their ids told in that order", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await store.jobs.enqueue(newJob({ command: "before" }));
      const count = 2345;
      const enqueued = await store.jobs.enqueueAll(
        asyncly(numbered(count, (n) => ({ id: n % 3 === 0 ? `given-${n}` : undefined }))),
      );
      await store.jobs.enqueue(newJob({ command: "after" }));
      const jobs = (await allJobs(store)).toReversed();
      expect(jobs.map(({ command }) => command)).toEqual(["before", ...commands(count), "after"]);
      expect(enqueued.count).toBe(count);
      const ids = await Array.fromAsync(enqueued.ids());
      expect(ids).toEqual(jobs.slice(1, -1).map(({ id }) => id));
      expect(new Set(ids).size).toBe(count);
      expect(ids[3]).toBe("given-3");
    });

    test("jobs of a file are as complete as single ones", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const given = {
        id: "one",
        tags: ["x", "y"],
        env: { A: "ä" },
        queue: "q",
        priority: 5,
        timeout: 0.25,
        max_retries: 0,
        cwd: "/srv",
      };
      await store.jobs.enqueueAll(
        asyncly([newJob(given), newJob({ id: "later", run_at: clock.now + 1000 })]),
      );
      const single = await store.jobs.enqueue(newJob({ ...given, id: "two" }));
      const { seq } = await store.jobs.find("one");
      expect(await store.jobs.find("one")).toEqual({ ...single, id: "one", seq });
      expect((await store.jobs.list({ tag: "y" }, { limit: 0 })).total).toBe(2);
      expect(await store.stats.outstanding(["q"])).toBe(2);
      expect(await store.stats.outstanding(null)).toBe(3);
      await register(store, "worker-a", "worker-b", "worker-c");
      const claimed = await claim(store, { worker_ids: ["worker-a", "worker-b", "worker-c"] });
      expect(claimed.map(({ job }) => job.id)).toEqual(["one", "two"]);
      clock.now += 1000;
      expect((await claim(store, { worker_ids: ["worker-c"] }))[0]?.job.id).toBe("later");
    });

    test("an empty source stores nothing", async () => {
      await using temp = await makeStore();
      const enqueued = await temp.store.jobs.enqueueAll(asyncly([]));
      expect(enqueued.count).toBe(0);
      expect(await Array.fromAsync(enqueued.ids())).toEqual([]);
      expect(await allJobs(temp.store)).toEqual([]);
    });

    test("a source that throws in the middle leaves nothing behind", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const trouble = new Error("line 1201 is not JSON");
      async function* source() {
        yield* numbered(1200, () => ({ tags: ["x"] }));
        throw trouble;
      }
      expect(await store.jobs.enqueueAll(source()).catch((error) => error)).toBe(trouble);
      expect(await allJobs(store)).toEqual([]);
      expect(await store.stats.outstanding(null)).toBe(0);
      const { count } = await store.jobs.enqueueAll(asyncly(numbered(3)));
      expect(count).toBe(3);
      expect((await allJobs(store)).map(({ command }) => command).toReversed()).toEqual(commands(3));
    });

    test("an id that comes twice in a source is refused by name, and nothing is stored", async () => {
      await using temp = await makeStore();
      const ids: Record<number, string> = { 5: "twin", 1100: "twin" };
      const source = asyncly(numbered(1200, (n) => ({ id: ids[n] })));
      const refusal = await refusalOf(temp.store.jobs.enqueueAll(source));
      expect(refusal.kind).toBe("conflict");
      expect(refusal.message).toContain("twin");
      expect(await allJobs(temp.store)).toEqual([]);
    });

    test("an id of a stored job is refused by name, and nothing is stored", async () => {
      await using temp = await makeStore();
      const stored = await temp.store.jobs.enqueue(newJob({ id: "taken" }));
      const source = asyncly(numbered(10, (n) => ({ id: n === 7 ? "taken" : `free-${n}`, tags: ["x"] })));
      const refusal = await refusalOf(temp.store.jobs.enqueueAll(source));
      expect(refusal.kind).toBe("conflict");
      expect(refusal.message).toContain("taken");
      expect(await allJobs(temp.store)).toEqual([stored]);
      expect((await temp.store.jobs.list({ tag: "x" }, { limit: 0 })).total).toBe(0);
    });

    test("a slow source keeps nobody from the queue", async () => {
      await using temp = await makeStore();
      const other = await temp.another();
      const asked = Promise.withResolvers<void>();
      const more = Promise.withResolvers<void>();
      async function* source() {
        yield* numbered(600);
        asked.resolve();
        await more.promise;
        yield newJob({ command: "last" });
      }
      const enqueued = temp.store.jobs.enqueueAll(source());
      await asked.promise;
      await other.jobs.enqueue(newJob({ command: "elsewhere" }));
      await temp.store.jobs.enqueue(newJob({ command: "here" }));
      await register(other, "worker-a");
      expect((await claim(other))[0]?.job.command).toBe("elsewhere");
      expect((await allJobs(other)).length).toBe(2);
      more.resolve();
      expect((await enqueued).count).toBe(601);
      const jobs = (await allJobs(other)).map(({ command }) => command).toReversed();
      expect(jobs).toEqual(["elsewhere", "here", ...commands(600), "last"]);
    });

    test("an id taken while the source was read is refused", async () => {
      await using temp = await makeStore();
      const other = await temp.another();
      async function* source() {
        yield* numbered(600, (n) => ({ id: `job-${n}` }));
        await other.jobs.enqueue(newJob({ id: "job-3" }));
      }
      const refusal = await refusalOf(temp.store.jobs.enqueueAll(source()));
      expect(refusal.kind).toBe("conflict");
      expect(refusal.message).toContain("job-3");
      expect((await allJobs(other)).length).toBe(1);
    });

    test("two sources at once through one connection do not mix", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const halfway = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
      async function* source(which: 0 | 1) {
        yield* numbered(700, (n) => ({ command: `${which} ${n}` }));
        halfway[which].resolve();
        await halfway[which === 0 ? 1 : 0].promise;
        yield newJob({ command: `${which} last` });
      }
      const both = await Promise.all([store.jobs.enqueueAll(source(0)), store.jobs.enqueueAll(source(1))]);
      expect(both.map(({ count }) => count)).toEqual([701, 701]);
      const byId = new Map((await allJobs(store)).map((job) => [job.id, job]));
      for (const which of [0, 1]) {
        const jobs = (await Array.fromAsync(both[which]!.ids())).map((id) => byId.get(id)!.command);
        expect(jobs).toEqual([...commands(700).map((n) => `${which} ${n}`), `${which} last`]);
      }
    });
  });
}

const numbered = (count: number, more: (n: number) => Partial<NewJob> = () => ({})) =>
  Array.from({ length: count }, (_, n) => newJob({ command: String(n), ...more(n) }));

const commands = (count: number) => Array.from({ length: count }, (_, n) => String(n));
