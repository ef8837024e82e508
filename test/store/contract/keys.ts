import { describe, expect, test } from "bun:test";
import type { Ending } from "../../../src/domain/attempt.ts";
import type { NewJob } from "../../../src/domain/job.ts";
import {
  allJobs,
  asyncly,
  claim,
  claimTurn,
  endedAs,
  exitWith,
  newJob,
  register,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";

const workers = Array.from({ length: 10 }, (_, n) => `worker-${n}`);

export function keysContract(makeStore: MakeStore): void {
  describe("jobs with one key", () => {
    test("run one at a time, by priority and enqueue order, and keep no others", async () => {
      await using temp = await prepared(makeStore, [
        { id: "a", key: "k" },
        { id: "b", key: "k" },
        { id: "c", key: "k", priority: 2 },
        { id: "d", key: "other" },
        { id: "e" },
      ]);
      const first = await claim(temp.store, { worker_ids: workers });
      expect(first.map(({ job }) => job.id).toSorted()).toEqual(["c", "d", "e"]);
      expect(await claimedIds(temp, workers.slice(3))).toEqual([]);
      let running = first.find(({ job }) => job.id === "c")!;
      for (const id of ["a", "b"]) {
        await settle(temp.store, running.lease, exitWith(0));
        const next = await claim(temp.store, { worker_ids: workers.slice(3) });
        expect(next.map(({ job }) => job.id)).toEqual([id]);
        running = next[0]!;
      }
    });

    test("keep no others, however many of them fall due before those", async () => {
      await using temp = await prepared(makeStore, []);
      const { store, clock } = temp;
      const run_at = clock.now + 1000;
      await store.jobs.enqueueAll(asyncly(Array.from({ length: 1500 }, () => newJob({ key: "k", run_at }))));
      await store.jobs.enqueue(newJob({ id: "other", run_at }));
      clock.now = run_at;
      const first = await claimTurn(store, { worker_ids: workers.slice(0, 2) });
      let [claimed, next_due_at] = [first.claimed, first.next_due_at];
      while (claimed.length < 2 && next_due_at !== null && next_due_at <= clock.now) {
        const turn = await claimTurn(store, { worker_ids: workers.slice(1, 2) });
        [claimed, next_due_at] = [[...claimed, ...turn.claimed], turn.next_due_at];
      }
      expect(claimed.map(({ job }) => job.key ?? job.id)).toEqual(["k", "other"]);
    });

    test("wait as pending, and not for a moment", async () => {
      await using temp = await prepared(makeStore, [
        { id: "a", key: "k" },
        { id: "b", key: "k" },
      ]);
      await claim(temp.store, { worker_ids: ["worker-0"] });
      const turn = await untilNothing(temp, ["worker-1"]);
      expect(turn.next_due_at).toBeNull();
      expect(await temp.store.jobs.find("b")).toMatchObject({
        state: "pending",
        next_run_at: null,
        key: "k",
      });
    });

    const endings: Readonly<Record<string, Ending>> = {
      completed: exitWith(0),
      "died or waits for its retry": exitWith(1),
      "was given back": endedAs("released"),
      "was lost": endedAs("lost"),
      "was cancelled": endedAs("cancelled"),
    };
    for (const [what, ending] of Object.entries(endings)) {
      test(`let the next one run when one ${what}`, async () => {
        await using temp = await prepared(makeStore, [
          { id: "a", key: "k" },
          { id: "b", key: "k", queue: "other" },
        ]);
        const [running] = await claim(temp.store, { worker_ids: ["worker-0"] });
        expect(await claimedIds(temp, workers.slice(1))).toEqual([]);
        await settle(temp.store, running!.lease, ending);
        // Whoever was given back is first again.
        await temp.store.queues.pause(["default"]);
        expect(await claimedIds(temp, workers.slice(1))).toEqual(["b"]);
      });
    }

    test("are let go of by whoever is taken over and ends", async () => {
      await using temp = await prepared(makeStore, []);
      const { store } = temp;
      const dead = await register(store, "dead");
      const heir = await register(store, "heir");
      for (const id of ["a", "b"]) await store.jobs.enqueue(newJob({ id, key: "k" }));
      await claim(store, { worker_ids: ["dead"] });
      const [taken] = await store.leases.takeOver(dead, heir);
      expect(await claimedIds(temp)).toEqual([]);
      await settle(store, taken!.lease, endedAs("lost"));
      expect(await claimedIds(temp, ["worker-0", "worker-1"])).toHaveLength(1);
    });

    for (const [what, change] of [
      ["cancelled", ({ store }: TempStore, seq: number) => store.jobs.cancel([seq])],
      ["deleted", ({ store }: TempStore, seq: number) => store.jobs.delete([seq])],
      ["held", ({ store }: TempStore, seq: number) => store.jobs.hold([seq])],
      [
        "given another key",
        ({ store }: TempStore, seq: number) => store.jobs.edit(seq, () => ({ key: "z" })),
      ],
      [
        "moved to another queue",
        ({ store }: TempStore, seq: number) => store.jobs.edit(seq, () => ({ queue: "z" })),
      ],
    ] as const) {
      test(`go on when the one that was next is ${what}`, async () => {
        await using temp = await prepared(makeStore, []);
        const jobs = ["a", "b", "c"].map((id) => newJob({ id, key: "k", queue: "q" }));
        await temp.store.jobs.enqueueAll(asyncly(jobs));
        const { seq } = await temp.store.jobs.find("a");
        await change(temp, seq);
        expect((await claimedIds(temp, workers, ["q"])).filter((id) => id !== "a")).toEqual(["b"]);
      });
    }

    test("that wait may be held, released, edited, cancelled and deleted as any others", async () => {
      await using temp = await prepared(makeStore, []);
      const { store } = temp;
      for (const id of ["a", "b", "c", "d", "e"]) await store.jobs.enqueue(newJob({ id, key: "k" }));
      const [running] = await claim(store, { worker_ids: ["worker-0"] });
      expect(await claimedIds(temp, workers.slice(1))).toEqual([]);
      const seqOf = async (id: string) => (await store.jobs.find(id)).seq;
      await store.jobs.hold([await seqOf("b")]);
      await store.jobs.cancel([await seqOf("c")]);
      await store.jobs.delete([await seqOf("d")]);
      expect(await store.jobs.edit(await seqOf("e"), () => ({ command: "false" }))).toMatchObject({
        key: "k",
      });
      expect(await claimedIds(temp, workers.slice(1))).toEqual([]);
      await settle(store, running!.lease, exitWith(0));
      const [next] = await claim(store, { worker_ids: workers });
      expect(next!.job).toMatchObject({ id: "e", command: "false" });
      await store.jobs.release([await seqOf("b")]);
      expect(await claimedIds(temp, workers.slice(1))).toEqual([]);
      await settle(store, next!.lease, exitWith(0));
      expect(await claimedIds(temp, workers)).toEqual(["b"]);
    });

    test("keep whoever wants one of them alone too", async () => {
      await using temp = await prepared(makeStore, [
        { id: "a", key: "k" },
        { id: "b", key: "k" },
      ]);
      const { store } = temp;
      const [running] = await claim(store, { worker_ids: ["worker-0"] });
      const { seq } = await store.jobs.find("b");
      const turn = await claimTurn(store, { worker_ids: ["worker-1"], only: seq });
      expect(turn).toMatchObject({ claimed: [], next_due_at: null });
      await settle(store, running!.lease, exitWith(0));
      expect(await claim(store, { worker_ids: ["worker-1"], only: seq })).toHaveLength(1);
    });

    test("go on when the one that would be next is cancelled, held or deleted as another one ends", async () => {
      await using temp = await prepared(makeStore, []);
      const { store } = temp;
      const others = await temp.another();
      const jobs = Array.from({ length: 90 }, () => newJob({ key: "k" }));
      await store.jobs.enqueueAll(asyncly(jobs));
      const changes = [others.jobs.cancel, others.jobs.hold, others.jobs.delete];
      const seqs = (await allJobs(store)).map(({ seq }) => seq).toReversed();
      for (let n = 0; n < 30; n++) {
        const {
          claimed: [running],
        } = await untilNothing(temp, workers);
        expect(running?.job.seq).toBe(seqs[3 * n]);
        await Promise.all([
          changes[n % 3]!([seqs[3 * n + 1]!]).catch(() => {}),
          changes[n % 3]!([seqs[3 * n + 2]!]).catch(() => {}),
          settle(store, running!.lease, exitWith(0)),
        ]);
      }
    });

    test("do not wait for one that a process wanted which was not there any more", async () => {
      await using temp = await prepared(makeStore, [
        { id: "a", key: "k", queue: "left" },
        { id: "b", key: "k", queue: "right" },
      ]);
      const turn = await claimTurn(temp.store, { worker_ids: ["gone-1", "gone-2"] });
      expect(turn).toMatchObject({ claimed: [], expelled: true });
      const other = await claimTurn(temp.store, { worker_ids: ["gone-1"], queues: ["empty"] });
      expect([other.claimed, other.expelled ?? false]).toEqual([[], false]);
      expect(await claimedIds(temp, workers, ["right"])).toEqual(["b"]);
    });

    test("are never two at once, however many claim at the same moment", async () => {
      await using temp = await prepared(makeStore, []);
      const { store } = temp;
      const jobs = Array.from({ length: 40 }, (_, n) => newJob({ key: `k${n % 2}`, queue: `q${n % 3}` }));
      for (const job of jobs) await store.jobs.enqueue(job);
      const stores = [store, await temp.another(), await temp.another()];
      for (let ran = 0; ran < jobs.length; ) {
        const claims = await Promise.all(
          workers.map((worker_id, n) => claim(stores[n % 3]!, { worker_ids: [worker_id] })),
        );
        const running = claims.flat();
        expect(new Set(running.map(({ job }) => job.key)).size).toBe(running.length);
        await Promise.all(running.map(({ lease }, n) => settle(stores[n % 3]!, lease, exitWith(0))));
        ran += running.length;
      }
      expect((await store.stats.read()).completed).toBe(jobs.length);
    });
  });
}

async function prepared(makeStore: MakeStore, jobs: readonly Partial<NewJob>[]): Promise<TempStore> {
  const temp = await makeStore();
  await register(temp.store, ...workers);
  for (const job of jobs) await temp.store.jobs.enqueue(newJob(job));
  return temp;
}

/** Claims until it is told to wait: what stands in the way of others takes a claim or two to get out of it. */
async function untilNothing({ store, clock }: TempStore, worker_ids: readonly string[], queues?: string[]) {
  for (;;) {
    const turn = await claimTurn(store, { worker_ids, queues: queues ?? null });
    const isAgain = turn.next_due_at !== null && turn.next_due_at <= clock.now + 10;
    if (turn.claimed.length > 0 || !isAgain) return turn;
  }
}

const claimedIds = async (temp: TempStore, worker_ids: readonly string[] = workers, queues?: string[]) =>
  (await untilNothing(temp, worker_ids, queues)).claimed.map(({ job }) => job.id);
