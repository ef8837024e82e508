import { describe, expect, test } from "bun:test";
import { claim, exitWith, jobIn, newJob, register, settle } from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

const minute = 60_000;
const hour = 60 * minute;

export function historyContract(makeStore: MakeStore): void {
  describe("stats: runs by time", () => {
    test("a queue without runs has empty buckets without gaps, and no percentile", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { buckets } = await store.stats.throughput("hour");
      expect(buckets.map(({ from }) => from)).toEqual(
        Array.from({ length: 60 }, (_, n) => clock.now - (59 - n) * minute),
      );
      expect(buckets.every(({ completed, failed }) => completed + failed === 0)).toBe(true);
      expect(await store.stats.durationUnder(0.95)).toBeNull();
    });

    test("runs count in the minute, hour and day they ended, completed and failed apart", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await jobIn(store, "completed");
      clock.now += 3 * minute;
      await jobIn(store, "failed");
      await jobIn(store, "dead");
      const last = (await store.stats.throughput("hour")).buckets;
      expect(last.at(-4)).toMatchObject({ completed: 1, failed: 0 });
      expect(last.at(-1)!.completed).toBe(0);
      expect(last.at(-1)!.failed).toBeGreaterThanOrEqual(2);
      for (const span of ["day", "month"] as const) {
        const { buckets } = await store.stats.throughput(span);
        expect(buckets.at(-1)).toMatchObject({ completed: 1, failed: last.at(-1)!.failed });
      }
    });

    test("what is older than a span is not in it, and a clock set back breaks nothing", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      await jobIn(store, "completed");
      clock.now += 3 * hour;
      await jobIn(store, "completed");
      const total = async (span: "hour" | "day" | "month") =>
        (await store.stats.throughput(span)).buckets.reduce((sum, { completed }) => sum + completed, 0);
      expect(await total("hour")).toBe(1);
      expect(await total("day")).toBe(2);
      clock.now -= 5 * hour;
      await jobIn(store, "completed");
      expect(await total("day")).toBe(1);
      clock.now += 40 * 24 * hour;
      expect(await total("month")).toBe(0);
    });

    test("the percentile of durations is right to a quarter, and never too small", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await register(store, "worker-a");
      for (let n = 1; n <= 20; n++) {
        await store.jobs.enqueue(newJob());
        const [claimed] = await claim(store);
        await settle(store, claimed!.lease, exitWith(0, { duration: n }));
      }
      expect(await store.stats.durationUnder(0.95)).toBeWithin(19, 19 * 1.25);
      expect(await store.stats.durationUnder(0.5)).toBeWithin(10, 10 * 1.25);
    });
  });

  describe("stats: queues", () => {
    test("each queue has its jobs by state, and those without jobs are not there", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      await jobIn(store, "dead", { queue: "mail" });
      await jobIn(store, "pending", { queue: "mail" });
      const { id, seq } = await jobIn(store, "completed", { queue: "gone" });
      expect(id).not.toBe("");
      await store.jobs.delete([seq]);
      expect(await store.stats.queues()).toEqual([
        {
          queue: "mail",
          pending: 1,
          processing: 0,
          completed: 0,
          failed: 0,
          dead: 1,
          cancelled: 0,
          oldest_waiting_at: expect.any(Number),
        },
      ]);
    });

    test("the oldest due job says since when its queue waits; a scheduled one does not wait", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const began = clock.now;
      await store.jobs.enqueue(newJob({ queue: "later", run_at: clock.now + hour }));
      await store.jobs.enqueue(newJob({ queue: "mail", priority: 1 }));
      clock.now += minute;
      await store.jobs.enqueue(newJob({ queue: "mail", priority: 5 }));
      const oldest = async () =>
        Object.fromEntries((await store.stats.queues()).map((one) => [one.queue, one.oldest_waiting_at]));
      expect(await oldest()).toEqual({ later: null, mail: began });
      clock.now = began + hour + minute;
      expect(await oldest()).toEqual({ later: began + hour, mail: began });
    });
  });
}
