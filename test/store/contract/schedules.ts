import { describe, expect, test } from "bun:test";
import type { NewSchedule, Schedule } from "../../../src/domain/schedule.ts";
import type { Firing } from "../../../src/store/schedules.ts";
import type { Store } from "../../../src/store/store.ts";
import {
  allJobs,
  claim,
  endedAs,
  exitWith,
  newJob,
  refusalOf,
  register,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";
import { expectCountsToAgree } from "./stats.ts";

const minute = 60_000;

export function schedulesContract(makeStore: MakeStore): void {
  const {
    id: _,
    run_at: __,
    after: ___,
    ...job
  } = newJob({ command: "backup", queue: "night", tags: ["x"], env: { A: "1" } });

  const newSchedule = ({ clock }: TempStore, wanted: Partial<NewSchedule> = {}): NewSchedule => ({
    name: "nightly",
    cron: "* * * * *",
    tz: "Europe/Berlin",
    missed: "one",
    overlap: "skip",
    jitter: 1.5,
    job,
    next_at: clock.now + minute,
    ...wanted,
  });

  const added = async (temp: TempStore, wanted: Partial<NewSchedule> = {}): Promise<Schedule> =>
    (await temp.store.schedules.add([newSchedule(temp, wanted)]))[0]!;

  /** For the time that the schedule waits for; it goes on a minute later. */
  const firing = (schedule: Schedule, more: Partial<Firing> = {}): Firing => ({
    schedule,
    jobs: [
      {
        at: schedule.next_at!,
        job: { ...schedule.job, id: undefined, after: [], run_at: schedule.next_at! },
      },
    ],
    overlap: schedule.overlap,
    missed_at: null,
    next_at: schedule.next_at! + minute,
    ...more,
  });

  const fireNext = async (store: Store, name: string, more: Partial<Firing> = {}) =>
    store.schedules.fire(firing(await store.schedules.find(name), more));

  describe("schedules", () => {
    test("a schedule is there for everyone, with all that was said of it", async () => {
      await using temp = await makeStore();
      const wanted = newSchedule(temp);
      const expected: Schedule = {
        ...wanted,
        paused: false,
        last_at: null,
        missed_at: null,
        skipped_at: null,
        created_at: temp.clock.now,
        updated_at: temp.clock.now,
        last_job: null,
      };
      expect(await temp.store.schedules.add([wanted])).toEqual([expected]);
      const other = (await temp.another()).schedules;
      expect(await other.find("nightly")).toEqual(expected);
      expect(await other.list()).toEqual([expected]);
    });

    test("they are listed by name, and found by their very name only", async () => {
      await using temp = await makeStore();
      const { schedules } = temp.store;
      expect(await schedules.list()).toEqual([]);
      for (const name of ["b", "a.1", "B"]) await added(temp, { name });
      expect((await schedules.list()).map(({ name }) => name)).toEqual(["B", "a.1", "b"]);
      for (const name of ["a", "A.1", "", "%"]) {
        expect((await refusalOf(schedules.find(name))).kind).toBe("not_found");
      }
    });

    test("a taken name is refused, and then none of them is added", async () => {
      await using temp = await makeStore();
      await added(temp);
      for (const names of [
        ["a", "nightly"],
        ["a", "a"],
      ]) {
        const refusal = await refusalOf(
          temp.store.schedules.add(names.map((name) => newSchedule(temp, { name }))),
        );
        expect([refusal.kind, refusal.message]).toEqual(["conflict", expect.stringContaining(names[1]!)]);
      }
      expect(await temp.store.schedules.list()).toHaveLength(1);
    });

    test("one is put in the place of the one that has its name, which stays paused if it was", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const before = await added(temp);
      await added(temp, { name: "paused" });
      await store.schedules.pause("paused");
      const made = (await fireNext(store, "nightly"))!.jobs[0]!;
      clock.now += 10;
      const wanted = (name: string) =>
        newSchedule(temp, {
          name,
          cron: "@daily",
          tz: "UTC",
          overlap: "queue",
          job: { ...job, command: "other" },
        });
      const replaced = await store.schedules.add([wanted("nightly"), wanted("paused"), wanted("new")], {
        replace: true,
      });
      const last_job = { seq: made.seq, id: made.id, state: "pending" };
      const { created_at, last_at } = await store.schedules.find("nightly");
      expect([created_at, last_at]).toEqual([before.created_at, before.next_at]);
      expect(replaced).toMatchObject([
        { ...wanted("nightly"), updated_at: clock.now, last_job },
        { ...wanted("paused"), paused: true, next_at: null },
        { ...wanted("new"), created_at: clock.now },
      ]);
      expect(await store.schedules.list()).toHaveLength(3);
    });

    test("those whose time has come are due, the longest first, and the next of the others is told", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      expect(await store.schedules.due()).toEqual({ now: clock.now, due: [], next_at: null });
      for (const minutes of [3, 1, 2]) {
        await added(temp, { name: `in-${minutes}`, next_at: clock.now + minutes * minute });
      }
      await added(temp, { name: "never", next_at: null });
      expect(await store.schedules.due()).toMatchObject({ due: [], next_at: clock.now + minute });
      clock.now += 2 * minute;
      const { due, next_at } = await store.schedules.due();
      expect(due.map(({ name }) => name)).toEqual(["in-1", "in-2"]);
      expect(next_at).toBe(clock.now + minute);
    });
  });

  describe("firing a schedule", () => {
    test("makes a job that knows where it comes from, and goes on with the next time", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const schedule = await added(temp);
      const at = schedule.next_at!;
      clock.now = at + 10;
      const fired = await store.schedules.fire(firing(schedule));
      expect(fired).toMatchObject({ replaced: null, skipped: false });
      const [made] = fired!.jobs;
      expect(made).toMatchObject({ ...job, state: "pending", run_at: at, created_at: clock.now });
      expect(await allJobs(store)).toEqual([made!]);
      expect((await store.stats.read()).pending).toBe(1);
      expect((await store.jobs.list({ tag: "x" }, { limit: 5 })).total).toBe(1);
      expect(await store.schedules.originOf(made!.seq)).toEqual({ schedule: "nightly", at });
      expect(await store.schedules.runs("nightly", 5)).toEqual([{ at, job: made! }]);
      expect(await store.schedules.find("nightly")).toEqual({
        ...schedule,
        last_at: at,
        next_at: at + minute,
        updated_at: clock.now,
        last_job: { seq: made!.seq, id: made!.id, state: "pending" },
      });
    });

    test("by the plan of before it was replaced does nothing", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const before = await added(temp);
      clock.now += 10;
      await store.schedules.add([{ ...newSchedule(temp), next_at: before.next_at }], { replace: true });
      clock.now = before.next_at!;
      expect(await store.schedules.fire(firing(before))).toBeNull();
      expect(await allJobs(store)).toEqual([]);
    });

    test("a job whose moment is to come waits for it", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const schedule = await added(temp);
      clock.now += minute;
      const run_at = clock.now + 5000;
      await store.schedules.fire(
        firing(schedule, {
          jobs: [{ at: schedule.next_at!, job: { ...job, id: undefined, after: [], run_at } }],
        }),
      );
      await register(store, "worker-a");
      expect(await claim(store)).toEqual([]);
      clock.now = run_at;
      expect(await claim(store)).toHaveLength(1);
    });

    test("of many who fire the same time at once one does, on whatever connection", async () => {
      await using temp = await makeStore();
      const stores = [temp.store, await temp.another(), await temp.another()];
      let schedule = await added(temp, { overlap: "queue" });
      for (let round = 1; round <= 5; round++) {
        temp.clock.now = schedule.next_at!;
        const results = await Promise.all(
          [...stores, ...stores].map((store) => store.schedules.fire(firing(schedule))),
        );
        expect(results.filter((fired) => fired !== null)).toHaveLength(1);
        expect(await allJobs(temp.store)).toHaveLength(round);
        schedule = await temp.store.schedules.find("nightly");
      }
    });

    test("one that was paused, removed, or added anew meanwhile is not fired", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const schedule = await added(temp);
      clock.now += minute;
      await store.schedules.pause("nightly");
      expect(await store.schedules.fire(firing(schedule))).toBeNull();
      await store.schedules.remove("nightly");
      expect(await store.schedules.fire(firing(schedule))).toBeNull();
      await added(temp, { cron: "@daily", next_at: schedule.next_at });
      expect(await store.schedules.fire(firing(schedule))).toBeNull();
      expect(await allJobs(store)).toEqual([]);
    });

    test("several times become a job each, in their order", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const schedule = await added(temp);
      clock.now += 3 * minute;
      const times = [0, 1, 2].map((n) => schedule.next_at! + n * minute);
      const jobs = times.map((at) => ({ at, job: { ...job, id: undefined, after: [], run_at: at } }));
      const fired = await store.schedules.fire(firing(schedule, { jobs, missed_at: 7 }));
      expect(fired!.jobs.map(({ run_at }) => run_at)).toEqual(times);
      expect((await store.schedules.runs("nightly", 2)).map(({ at }) => at)).toEqual([times[2]!, times[1]!]);
      expect(await store.schedules.find("nightly")).toMatchObject({ last_at: times[2]!, missed_at: 7 });
    });

    test("a time that became a job once becomes none again when the schedule comes back to it", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const at = (await added(temp)).next_at!;
      clock.now = at;
      await fireNext(store, "nightly", { next_at: at });
      for (const overlap of ["replace", "queue"] as const) {
        const next_at = overlap === "replace" ? at : at + minute;
        const again = await fireNext(store, "nightly", { overlap, next_at });
        expect(again).toEqual({ jobs: [], replaced: null, skipped: false });
      }
      expect((await allJobs(store)).map(({ state }) => state)).toEqual(["pending"]);
      await fireNext(store, "nightly", { overlap: "replace" });
      expect((await store.schedules.find("nightly")).last_at).toBe(at + minute);
    });

    test("no time, only another next one", async () => {
      await using temp = await makeStore();
      const schedule = await added(temp);
      const fired = await temp.store.schedules.fire(firing(schedule, { jobs: [], next_at: 5, missed_at: 4 }));
      expect(fired).toEqual({ jobs: [], replaced: null, skipped: false });
      expect(await temp.store.schedules.find("nightly")).toMatchObject({
        next_at: 5,
        missed_at: 4,
        last_at: null,
      });
    });
  });

  describe("while the job of the time before is not settled", () => {
    const waits = async (_store: Store) => {};
    const runs = async (store: Store) => {
      await register(store, "worker-a");
      await claim(store);
    };
    const fails = async (store: Store) => {
      await register(store, "worker-a");
      const [claimed] = await claim(store);
      await settle(store, claimed!.lease, exitWith(1));
    };
    const unsettled = { waits, runs, fails };

    for (const [how, come] of Object.entries(unsettled)) {
      test(`a schedule that skips makes none (it ${how})`, async () => {
        await using temp = await makeStore();
        const { store, clock } = temp;
        const { next_at } = await added(temp);
        clock.now += minute;
        await fireNext(store, "nightly");
        await come(store);
        clock.now += minute;
        expect(await fireNext(store, "nightly")).toEqual({ jobs: [], replaced: null, skipped: true });
        expect(await store.schedules.find("nightly")).toMatchObject({
          last_at: next_at!,
          skipped_at: next_at! + minute,
          next_at: next_at! + 2 * minute,
        });
        expect(await allJobs(store)).toHaveLength(1);
      });
    }

    for (const overlap of ["skip", "queue", "replace"] as const) {
      test(`one that has no time to make up for only goes on (${overlap})`, async () => {
        await using temp = await makeStore();
        const { next_at } = await added(temp, { overlap });
        await fireNext(temp.store, "nightly");
        const fired = await fireNext(temp.store, "nightly", { jobs: [], missed_at: next_at! + minute });
        expect(fired).toEqual({ jobs: [], replaced: null, skipped: false });
        expect(await temp.store.schedules.find("nightly")).toMatchObject({
          next_at: next_at! + 2 * minute,
          skipped_at: null,
          last_job: { state: "pending" },
        });
      });
    }

    test("one that queues makes another", async () => {
      await using temp = await makeStore();
      await added(temp, { overlap: "queue" });
      for (const _ of [1, 2]) await fireNext(temp.store, "nightly");
      expect((await allJobs(temp.store)).map(({ state }) => state)).toEqual(["pending", "pending"]);
    });

    test("one that replaces cancels what waits, and asks the worker of what runs to end it", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await added(temp, { overlap: "replace" });
      temp.clock.now += 10 * minute;
      const first = (await fireNext(store, "nightly"))!.jobs[0]!;
      const second = await fireNext(store, "nightly");
      expect(second!.replaced).toMatchObject({ id: first.id, state: "cancelled" });
      const process_id = await register(store, "worker-a");
      const [claimed] = await claim(store);
      expect(claimed!.job.id).toBe(second!.jobs[0]!.id);
      expect((await fireNext(store, "nightly"))!.replaced).toMatchObject({
        id: claimed!.job.id,
        state: "processing",
      });
      expect((await store.leases.orders(process_id)).cancel).toEqual([claimed!.lease]);
      expect(await store.stats.read()).toMatchObject({ pending: 1, processing: 1, cancelled: 1 });
    });

    test("what comes after a job that is replaced is cancelled with it, and says why", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await added(temp, { overlap: "replace" });
      const first = (await fireNext(store, "nightly"))!.jobs[0]!;
      const child = await store.jobs.enqueue(newJob({ after: [{ id: first.id, if_fails: "cancel" }] }));
      await fireNext(store, "nightly");
      expect(await store.jobs.find(child.id)).toMatchObject({
        state: "cancelled",
        last_error: `job ${first.id}, which it comes after, is cancelled`,
      });
      await expectCountsToAgree(store);
    });

    test("what comes after a job that is replaced while it runs waits until its worker has ended it", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await added(temp, { overlap: "replace" });
      const { id } = (await fireNext(store, "nightly"))!.jobs[0]!;
      temp.clock.now += minute;
      await register(store, "worker-a");
      const [claimed] = await claim(store);
      for (const if_fails of ["cancel", "run"] as const)
        await store.jobs.enqueue(newJob({ id: if_fails, after: [{ id, if_fails }] }));
      await fireNext(store, "nightly");
      for (const child of ["cancel", "run"])
        expect(await store.jobs.find(child)).toMatchObject({ state: "pending", unmet: 1 });
      await settle(store, claimed!.lease, endedAs("cancelled"));
      expect(await store.jobs.find("cancel")).toMatchObject({ state: "cancelled" });
      expect(await store.jobs.find("run")).toMatchObject({ state: "pending", unmet: 0 });
    });

    test("once it is settled, or gone, the next time becomes a job", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await added(temp);
      temp.clock.now += 10 * minute;
      await fireNext(store, "nightly");
      await register(store, "worker-a");
      const [claimed] = await claim(store);
      await settle(store, claimed!.lease, exitWith(0));
      const second = (await fireNext(store, "nightly"))!.jobs[0]!;
      await store.jobs.delete([second.seq]);
      expect((await store.schedules.find("nightly")).last_job).toBeNull();
      expect((await fireNext(store, "nightly"))!.jobs).toHaveLength(1);
    });
  });

  describe("a schedule by hand", () => {
    test("a job by hand comes beside the times, and counts as the one before the next", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const schedule = await added(temp);
      const first = await store.schedules.run("nightly", {
        ...job,
        id: undefined,
        after: [],
        run_at: undefined,
      });
      const second = await store.schedules.run("nightly", {
        ...job,
        id: "mine",
        after: [],
        run_at: undefined,
      });
      expect(first).toMatchObject({ ...job, state: "pending" });
      expect(await store.schedules.originOf(second.seq)).toEqual({ schedule: "nightly", at: null });
      expect(await store.schedules.find("nightly")).toMatchObject({
        next_at: schedule.next_at,
        last_at: null,
        last_job: { id: "mine", state: "pending" },
      });
      expect((await fireNext(store, "nightly"))!.skipped).toBe(true);
      const { run } = store.schedules;
      expect(
        (await refusalOf(run("other", { ...job, id: undefined, after: [], run_at: undefined }))).kind,
      ).toBe("not_found");
    });

    test("while paused no time comes; resumed it goes on with the time it is given", async () => {
      await using temp = await makeStore();
      const { schedules } = temp.store;
      const schedule = await added(temp);
      for (const _ of [1, 2])
        expect(await schedules.pause("nightly")).toMatchObject({ paused: true, next_at: null });
      temp.clock.now += 10 * minute;
      expect(await schedules.due()).toMatchObject({ due: [], next_at: null });
      const next_at = temp.clock.now + minute;
      expect(await schedules.resume("nightly", next_at)).toEqual({
        ...schedule,
        next_at,
        updated_at: temp.clock.now,
      });
      expect((await schedules.resume("nightly", 5)).next_at).toBe(next_at);
      expect((await refusalOf(schedules.pause("other"))).kind).toBe("not_found");
      expect((await refusalOf(schedules.resume("other", 1))).kind).toBe("not_found");
    });

    test("what a removed schedule made stays, and says so", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { next_at } = await added(temp);
      const made = (await fireNext(store, "nightly"))!.jobs[0]!;
      await store.schedules.remove("nightly");
      expect(await store.schedules.list()).toEqual([]);
      expect(await store.schedules.originOf(made.seq)).toEqual({ schedule: "nightly", at: next_at });
      expect((await refusalOf(store.schedules.remove("nightly"))).kind).toBe("not_found");
    });

    test("a job that nobody scheduled comes from nowhere, and one that is deleted is forgotten", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { seq } = await store.jobs.enqueue(newJob());
      expect(await store.schedules.originOf(seq)).toBeNull();
      await added(temp);
      const made = (await fireNext(store, "nightly"))!.jobs[0]!;
      await store.jobs.delete([made.seq]);
      expect(await store.schedules.originOf(made.seq)).toBeNull();
      expect(await store.schedules.runs("nightly", 5)).toEqual([]);
    });
  });
}
