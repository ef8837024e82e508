import { describe, expect, test } from "bun:test";
import { claim, newJob, register } from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";
import { waitUntil } from "../../support/wait-until.ts";

export function watchContract(makeStore: MakeStore): void {
  describe("watch", () => {
    test("what another connection changes is noticed, again and again", async () => {
      await using temp = await makeStore();
      const other = await temp.another();
      let calls = 0;
      using _watch = temp.store.watch(() => calls++);
      const changes: [string, () => Promise<unknown>][] = [
        ["an enqueue", () => other.jobs.enqueue(newJob())],
        ["an entry of a worker", () => register(other, "worker-a")],
        ["a claim", () => claim(other)],
        ["a setting", () => other.settings.set("priority", "2")],
        ["an order", () => other.workers.stop(["worker-a"], "finish")],
      ];
      for (const [what, change] of changes) {
        const before = calls;
        await change();
        await waitUntil(`${what} is noticed`, () => calls > before);
      }
    });

    test("who is in no hurry is told all the same, and who is again at once is told what came before", async () => {
      await using temp = await makeStore();
      const other = await temp.another();
      let calls = 0;
      using watch = temp.store.watch(() => calls++);
      watch.hurry(false);
      for (let job = 0; job < 3; job++) {
        const before = calls;
        await other.jobs.enqueue(newJob());
        await waitUntil("an enqueue is noticed by and by", () => calls > before);
      }
      for (let job = 0; job < 3; job++) {
        const before = calls;
        watch.hurry(false);
        await other.jobs.enqueue(newJob());
        watch.hurry(true);
        await waitUntil("an enqueue just before is noticed", () => calls > before);
      }
    });

    test("has news when anything changed, and none otherwise where it can tell", async () => {
      await using temp = await makeStore();
      const other = await temp.another();
      using watch = temp.store.watch(() => {});
      await watch.hasNews();
      const saysSo = !(await watch.hasNews());
      for (const store of [other, temp.store, other, temp.store]) {
        await store.jobs.enqueue(newJob());
        expect(await watch.hasNews()).toBe(true);
        await store.stats.read();
        expect(await watch.hasNews()).toBe(!saysSo);
      }
    });

    test("nothing is told after it was disposed, while another watch still is", async () => {
      await using temp = await makeStore();
      const other = await temp.another();
      let gone = 0;
      let here = 0;
      const watch = temp.store.watch(() => gone++);
      watch[Symbol.dispose]();
      using _watch = temp.store.watch(() => here++);
      await other.jobs.enqueue(newJob());
      await waitUntil("the enqueue is noticed", () => here > 0);
      expect(gone).toBe(0);
    });
  });

  describe("refuseMoved", () => {
    test("is content with a queue that is where it was", async () => {
      await using temp = await makeStore();
      expect(await temp.store.refuseMoved()).toBeUndefined();
    });
  });

  describe("now", () => {
    test("is the moment by the store's clock", async () => {
      await using temp = await makeStore();
      expect(await temp.store.now()).toBe(temp.clock.now);
      temp.clock.now += 1234;
      expect(await temp.store.now()).toBe(temp.clock.now);
    });
  });
}
