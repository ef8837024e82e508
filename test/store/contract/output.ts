import { describe, expect, test } from "bun:test";
import type { ClaimedJob, Lease } from "../../../src/domain/lease.ts";
import type { Output, Store } from "../../../src/store/store.ts";
import { exitWith, refusalOf, register, runAgain, runningJob, settings } from "../../support/sample-jobs.ts";
import type { MakeStore } from "../../support/temp-store.ts";

export function outputContract(makeStore: MakeStore, keepsOutput: boolean): void {
  test.skipIf(keepsOutput)("output lies in files beside it", async () => {
    await using temp = await makeStore();
    expect(temp.store.output).toBeNull();
  });

  describe.skipIf(!keepsOutput)("output", () => {
    test("is what was added, byte for byte, read in any part by anybody", async () => {
      await using temp = await makeStore();
      const { output, running } = await withRunningJob(temp.store);
      const all = someBytes(100_000);
      const cuts = [0, 1, 2, 7_000, 7_001, 99_999, all.length];
      for (const [n, start] of cuts.slice(0, -1).entries()) {
        const size = await output.append(running.lease, { start, bytes: all.subarray(start, cuts[n + 1]) });
        expect(size).toBe(cuts[n + 1]!);
      }
      const other = (await temp.another()).output!;
      expect(await other.size(running.job.seq, 1)).toBe(all.length);
      for (const [from, limit] of [
        [0, all.length],
        [0, 1],
        [1, 1],
        [6_999, 3],
        [7_001, 10],
        [50_000, 1_000_000],
        [all.length - 1, 5],
        [all.length, 5],
        [all.length + 7, 5],
      ] as const) {
        const bytes = await other.read(running.job.seq, 1, from, limit);
        expect(all.subarray(from, from + limit).equals(bytes)).toBe(true);
      }
      expect(other.queue).toBe(output.queue);
    });

    test("of an attempt that printed nothing is nothing", async () => {
      await using temp = await makeStore();
      const { output, running } = await withRunningJob(temp.store);
      expect(await output.size(running.job.seq, 1)).toBe(0);
      expect((await output.read(running.job.seq, 1, 0, 10)).length).toBe(0);
    });

    test("that is there already stays as it is, whatever comes once more", async () => {
      await using temp = await makeStore();
      const { output, running, text, append } = await withRunningJob(temp.store);
      expect(await append(0, "one ")).toBe(4);
      expect(await append(0, "one ")).toBe(4);
      expect(await append(2, "E two")).toBe(7);
      expect(await append(0, "o")).toBe(7);
      expect(await append(7, "")).toBe(7);
      expect(await text()).toBe("one two");
      const same = Array.from({ length: 5 }, () =>
        output.append(running.lease, { start: 7, bytes: Buffer.from(" three") }),
      );
      expect(await Promise.all(same)).toEqual([13, 13, 13, 13, 13]);
      expect(await text()).toBe("one two three");
    });

    test("has no gaps: what comes too early is not stored, and where to go on is told", async () => {
      await using temp = await makeStore();
      const { text, append } = await withRunningJob(temp.store);
      await append(0, "one");
      expect(await append(4, "late")).toBe(3);
      expect(await text()).toBe("one");
    });

    test("is taken from nobody but whoever has the job's newest lease", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { running, text, append } = await withRunningJob(store);
      await append(0, "one");
      const process_id = (await store.workers.processes())[0]!.process_id;
      const [taken] = await store.leases.takeOver(process_id, await register(store, "worker-alive"));
      expect(await append(3, " stale")).toBeNull();
      expect(await append(3, " new", taken!.lease)).toBe(7);
      expect(await text()).toBe("one new");
      await end(store, taken!.lease);
      expect(await append(7, " late", taken!.lease)).toBeNull();
      expect(await append(0, "x", { ...running.lease, job_seq: running.job.seq + 1 })).toBeNull();
      expect(await text()).toBe("one new");
    });

    test("of each attempt is its own", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { running, text, append } = await withRunningJob(store);
      await append(0, "first");
      await end(store, running.lease, 1);
      clock.now += 10_000;
      const again = await runAgain(store, running.job.seq);
      await append(0, "second", again.lease);
      expect([await text(1), await text(2)]).toEqual(["first", "second"]);
    });

    test("is completed by the settlement in one step", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { running, text, append } = await withRunningJob(store);
      const short = await runningJob(store);
      const silent = await runningJob(store);
      await append(0, "one");
      const { settled } = await store.leases.exchange({
        started: [],
        ended: [
          { lease: short.lease, ending: exitWith(0), rest: { start: 0, bytes: Buffer.from("all of it") } },
          { lease: silent.lease, ending: exitWith(0) },
          { lease: running.lease, ending: exitWith(0), rest: { start: 2, bytes: Buffer.from("e two") } },
        ],
        settings,
        wanted: null,
      });
      expect(settled.map(({ state }) => state)).toEqual(["completed", "completed", "completed"]);
      expect(await text()).toBe("one two");
      expect(Buffer.from(await store.output!.read(short.job.seq, 1, 0, 100)).toString()).toBe("all of it");
    });

    test("comes with a settlement that is stale to no effect", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { running, text, append } = await withRunningJob(store);
      await append(0, "one");
      const process_id = (await store.workers.processes())[0]!.process_id;
      await store.leases.takeOver(process_id, await register(store, "worker-alive"));
      const { stale } = await end(store, running.lease, 0, { start: 300, bytes: Buffer.from("late") });
      expect(stale).toEqual([running.lease]);
      expect(await text()).toBe("one");
    });

    test("before the rest is missing, as after a fail-over: then nothing of the turn is stored", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { running, text, append } = await withRunningJob(store);
      await append(0, "one");
      const refused = await refusalOf(end(store, running.lease, 0, { start: 4, bytes: Buffer.from("rest") }));
      expect(refused.kind).toBe("unavailable");
      expect((await store.jobs.find(running.job.id)).state).toBe("processing");
      expect(await text()).toBe("one");
    });

    test("goes with its job, however many pieces it came in", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const { output, running, append } = await withRunningJob(store);
      for (let start = 0; start < 450; start++) await append(start, "x");
      await end(store, running.lease);
      await store.jobs.delete([running.job.seq]);
      expect(await output.size(running.job.seq, 1)).toBe(0);
      expect((await output.read(running.job.seq, 1, 0, 450)).length).toBe(0);
    });

    test("goes with its job, however that is removed", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const seqs: number[] = [];
      for (const code of [0, 0, 0, 1]) {
        const { lease, job } = await runningJob(store, { max_retries: 0 });
        await end(store, lease, code, { start: 0, bytes: Buffer.from("words") });
        seqs.push(job.seq);
      }
      const sizes = () => Promise.all(seqs.map((seq) => store.output!.size(seq, 1)));
      expect(await sizes()).toEqual([5, 5, 5, 5]);
      await store.jobs.delete([seqs[0]!]);
      expect(await sizes()).toEqual([0, 5, 5, 5]);
      await store.matching.change("delete", {}, { limit: 1, before: seqs[2]! });
      expect(await sizes()).toEqual([0, 0, 5, 5]);
      await store.jobs.prune(clock.now + 1, 10);
      expect(await sizes()).toEqual([0, 0, 0, 5]);
      await store.jobs.deleteDead(10);
      expect(await sizes()).toEqual([0, 0, 0, 0]);
    });
  });
}

async function withRunningJob(store: Store): Promise<{
  output: Output;
  running: ClaimedJob;
  append: (start: number, text: string, lease?: Lease) => Promise<number | null>;
  text: (attempt?: number) => Promise<string>;
}> {
  const output = store.output!;
  const running = await runningJob(store);
  return {
    output,
    running,
    append: (start, text, lease = running.lease) => output.append(lease, { start, bytes: Buffer.from(text) }),
    text: async (attempt = 1) => Buffer.from(await output.read(running.job.seq, attempt, 0, 1000)).toString(),
  };
}

const end = (store: Store, lease: Lease, exitCode = 0, rest?: { start: number; bytes: Uint8Array }) =>
  store.leases.exchange({
    started: [],
    ended: [{ lease, ending: exitWith(exitCode), rest }],
    settings,
    wanted: null,
  });

/** Bytes of all values, in no order that a text has. */
const someBytes = (length: number) =>
  Buffer.from(Uint8Array.from({ length }, (_, n) => (n * n * 31 + (n >> 3)) % 256));
