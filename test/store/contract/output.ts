import { describe, expect, test } from "bun:test";
import type { Gap } from "../../../src/domain/attempt.ts";
import type { ClaimedJob, Lease } from "../../../src/domain/lease.ts";
import type { Stream } from "../../../src/domain/rules.ts";
import type { Output, OutputOf, Store } from "../../../src/store/store.ts";
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
        const size = await output.append(running.lease, {
          stream: "stdout",
          start,
          bytes: all.subarray(start, cuts[n + 1]),
        });
        expect(size).toBe(cuts[n + 1]!);
      }
      const other = (await temp.another()).output!;
      expect(await other.size(of(running.job.seq))).toBe(all.length);
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
        const { start, bytes } = await other.read(of(running.job.seq), from, limit);
        expect(start).toBe(from);
        expect(all.subarray(from, from + limit).equals(bytes)).toBe(true);
      }
      expect(other.queue).toBe(output.queue);
    });

    test("of an attempt that printed nothing is nothing", async () => {
      await using temp = await makeStore();
      const { output, running } = await withRunningJob(temp.store);
      expect(await output.size(of(running.job.seq))).toBe(0);
      expect((await output.read(of(running.job.seq), 0, 10)).bytes.length).toBe(0);
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
        output.append(running.lease, { stream: "stdout", start: 7, bytes: Buffer.from(" three") }),
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

    test("of two streams is kept apart", async () => {
      await using temp = await makeStore();
      const { output, running, text, append } = await withRunningJob(temp.store);
      await append(0, "out");
      await output.append(running.lease, { stream: "stderr", start: 0, bytes: Buffer.from("error") });
      expect(await text()).toBe("out");
      const errors = await output.read(of(running.job.seq, 1, "stderr"), 1, 100);
      expect([errors.start, Buffer.from(errors.bytes).toString()]).toEqual([1, "rror"]);
      expect(await output.size(of(running.job.seq, 1, "stderr"))).toBe(5);
    });

    test("of which some was left out goes on behind that, and what there was of it is removed", async () => {
      await using temp = await makeStore();
      const { output, running, append } = await withRunningJob(temp.store);
      const whole = of(running.job.seq);
      const read = async (from: number, limit = 100) => {
        const { start, bytes } = await output.read(whole, from, limit);
        return [start, Buffer.from(bytes).toString()];
      };
      const skip = (start: number, text: string, gap: Gap) =>
        output.append(running.lease, { stream: "stdout", start, bytes: Buffer.from(text) }, gap);
      for (const [start, text] of [
        [0, "abcd"],
        [4, "efgh"],
        [8, "ijkl"],
      ] as const)
        await append(start, text);
      expect(await output.gap(whole)).toBeNull();
      // It begins in one piece and ends in another.
      expect(await skip(12, "mnop", { from: 2, to: 9 })).toBe(16);
      expect(await output.gap(whole)).toEqual({ from: 2, to: 9 });
      expect([await read(0), await read(1, 1), await read(2), await read(5, 3), await read(11)]).toEqual([
        [0, "ab"],
        [1, "b"],
        [9, "jklmnop"],
        [9, "jkl"],
        [11, "lmnop"],
      ]);
      // It only grows, and by nothing when it is told once more.
      for (const gap of [
        { from: 2, to: 9 },
        { from: 2, to: 5 },
        { from: 3, to: 12 },
      ])
        expect(await skip(16, "", gap)).toBe(16);
      expect([await output.gap(whole), await read(9)]).toEqual([{ from: 2, to: 9 }, [9, "jklmnop"]]);
      // It goes beyond all that there is, with what follows far behind that.
      expect(await skip(1_000_000_000_000, "end", { from: 1, to: 1_000_000_000_000 })).toBe(
        1_000_000_000_003,
      );
      expect(await output.size(whole)).toBe(1_000_000_000_003);
      expect([await read(0), await read(1), await read(1_000_000_000_002)]).toEqual([
        [0, "a"],
        [1_000_000_000_000, "end"],
        [1_000_000_000_002, "d"],
      ]);
      // Nothing follows it.
      await skip(0, "", { from: 0, to: 2_000_000_000_000 });
      expect([await output.size(whole), await read(0)]).toEqual([2_000_000_000_000, [2_000_000_000_000, ""]]);
    });

    test("of which some was left out may have been in the midst of one piece", async () => {
      await using temp = await makeStore();
      const { output, running, append } = await withRunningJob(temp.store);
      await append(0, "0123456789");
      const gap = { from: 3, to: 6 };
      expect(
        await output.append(running.lease, { stream: "stdout", start: 10, bytes: Buffer.from("ab") }, gap),
      ).toBe(12);
      const [before, behind] = [
        await output.read(of(running.job.seq), 0, 100),
        await output.read(of(running.job.seq), 3, 100),
      ];
      expect([before, behind].map(({ start, bytes }) => [start, Buffer.from(bytes).toString()])).toEqual([
        [0, "012"],
        [6, "6789ab"],
      ]);
    });

    test("has no gap behind its end: what comes before it is to come first", async () => {
      await using temp = await makeStore();
      const { output, running, text, append } = await withRunningJob(temp.store);
      await append(0, "one");
      const late = { stream: "stdout", start: 9, bytes: Buffer.from("late") } as const;
      expect(await output.append(running.lease, late, { from: 5, to: 9 })).toBe(3);
      expect([await text(), await output.gap(of(running.job.seq))]).toEqual(["one", null]);
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
          {
            lease: short.lease,
            ending: exitWith(0),
            rests: [{ stream: "stdout", start: 0, bytes: Buffer.from("all of it") }],
          },
          { lease: silent.lease, ending: exitWith(0) },
          {
            lease: running.lease,
            ending: exitWith(0),
            rests: [{ stream: "stdout", start: 2, bytes: Buffer.from("e two") }],
          },
        ],
        settings,
        wanted: null,
      });
      expect(settled.map(({ state }) => state)).toEqual(["completed", "completed", "completed"]);
      expect(await text()).toBe("one two");
      expect(Buffer.from((await store.output!.read(of(short.job.seq), 0, 100)).bytes).toString()).toBe(
        "all of it",
      );
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
      expect(await output.size(of(running.job.seq))).toBe(0);
      expect((await output.read(of(running.job.seq), 0, 450)).bytes.length).toBe(0);
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
      const sizes = () => Promise.all(seqs.map((seq) => store.output!.size(of(seq))));
      expect(await sizes()).toEqual([5, 5, 5, 5]);
      await store.jobs.delete([seqs[0]!]);
      expect(await sizes()).toEqual([0, 5, 5, 5]);
      await store.matching.change("delete", {}, { limit: 1, before: seqs[2]! });
      expect(await sizes()).toEqual([0, 0, 5, 5]);
      await store.jobs.prune(clock.now + 1, 10);
      expect(await sizes()).toEqual([0, 0, 0, 5]);
      await store.matching.change("delete", { state: "dead" }, { limit: 10 });
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
    append: (start, text, lease = running.lease) =>
      output.append(lease, { stream: "stdout", start, bytes: Buffer.from(text) }),
    text: async (attempt = 1) =>
      Buffer.from((await output.read(of(running.job.seq, attempt), 0, 1000)).bytes).toString(),
  };
}

const end = (store: Store, lease: Lease, exitCode = 0, rest?: { start: number; bytes: Uint8Array }) =>
  store.leases.exchange({
    started: [],
    ended: [{ lease, ending: exitWith(exitCode), rests: rest && [{ stream: "stdout", ...rest }] }],
    settings,
    wanted: null,
  });

const of = (job_seq: number, attempt = 1, stream: Stream = "stdout"): OutputOf => ({
  job_seq,
  attempt,
  stream,
});

/** Bytes of all values, in no order that a text has. */
const someBytes = (length: number) =>
  Buffer.from(Uint8Array.from({ length }, (_, n) => (n * n * 31 + (n >> 3)) % 256));
