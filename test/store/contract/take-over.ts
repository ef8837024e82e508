import { describe, expect, test } from "bun:test";
import type { ClaimedJob } from "../../../src/domain/lease.ts";
import type { Store } from "../../../src/store/store.ts";
import {
  claim,
  endedAs,
  exitWith,
  identity,
  jobIn,
  newJob,
  register,
  runAgain,
  runningJob,
  settings,
  settle,
} from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";

export function takeOverContract(makeStore: MakeStore): void {
  describe("take over", () => {
    test("the jobs of a dead process go on in another, with what is known of their commands", async () => {
      await using temp = await makeStore();
      const { store, dead, alive, claimed } = await withDeadProcess(temp);
      const [first, second] = claimed;
      const started = [{ lease: first.lease, pid: 4242, pid_start: "77" }];
      await store.leases.exchange({ started, ended: [], settings, wanted: null });
      const taken = (await store.leases.takeOver(dead, alive)).toSorted((a, b) => a.job.seq - b.job.seq);
      const raised = { job_seq: expect.any(Number), lease_seq: expect.any(Number) };
      expect(taken).toEqual([
        { ...first, lease: raised, pid: 4242, pid_start: "77", journal: "/dead" },
        { ...second, lease: raised, pid: null, pid_start: null, journal: "/dead" },
      ]);
      for (const [n, { job, lease }] of taken.entries()) {
        expect(lease.job_seq).toBe(job.seq);
        expect(lease.lease_seq).toBeGreaterThan(claimed[n]!.lease.lease_seq);
      }
      const { settled } = await settle(store, taken[0]!.lease, exitWith(0));
      expect(settled[0]).toMatchObject({ id: "one", state: "completed" });
      expect((await store.jobs.attempts(first.job.seq)).length).toBe(1);
    });

    test("the workers that hold jobs come along, the idle ones and their process are gone", async () => {
      await using temp = await makeStore();
      const { store, dead, alive } = await withDeadProcess(temp);
      await store.leases.takeOver(dead, alive);
      const [process, ...others] = await store.workers.processes();
      expect(others).toEqual([]);
      expect(process?.process_id).toBe(alive);
      expect(process?.worker_ids.toSorted()).toEqual(["worker-1", "worker-2", "worker-alive"]);
      expect((await store.workers.journals()).toSorted()).toEqual(["/dead", "/journal"]);
    });

    test("whoever still acts for the dead process is refused", async () => {
      await using temp = await makeStore();
      const { store, dead, alive, claimed } = await withDeadProcess(temp);
      await store.leases.takeOver(dead, alive);
      const { lease, job } = claimed[0];
      const turn = await store.leases.exchange({
        started: [{ lease, pid: 1, pid_start: "1" }],
        ended: [{ lease, ending: endedAs("lost") }],
        settings,
        wanted: null,
      });
      expect(turn).toMatchObject({ stale: [lease], settled: [] });
      expect(await store.jobs.find(job.id)).toMatchObject({ state: "processing", worker_id: "worker-1" });
      expect((await store.jobs.attempts(job.seq))[0]?.pid).toBeNull();
    });

    test("of two who ask at once, one gets the jobs and the other none", async () => {
      await using temp = await makeStore();
      const { store, dead, alive } = await withDeadProcess(temp);
      const other = await temp.another();
      const second = await register(other, "worker-other");
      const both = await Promise.all([
        store.leases.takeOver(dead, alive),
        other.leases.takeOver(dead, second),
      ]);
      expect(both.map(({ length }) => length).toSorted()).toEqual([0, 2]);
    });

    test("given one job, nothing but its worker is touched", async () => {
      await using temp = await makeStore();
      const { store, dead, alive, claimed } = await withDeadProcess(temp);
      const [first, second] = claimed;
      const taken = await store.leases.takeOver(dead, alive, second.job.seq);
      expect(taken.map(({ job }) => job.id)).toEqual(["two"]);
      expect(await processesOf(store)).toEqual([
        [dead, ["worker-1", "worker-idle"]],
        [alive, ["worker-2", "worker-alive"]],
      ]);
      expect((await settle(store, first.lease, exitWith(0))).stale).toEqual([]);
      expect(await store.leases.takeOver(dead, alive, second.job.seq)).toEqual([]);
    });

    test("a process that is not there has nothing to be taken over", async () => {
      await using temp = await makeStore();
      const alive = await register(temp.store, "worker-alive");
      expect(await temp.store.leases.takeOver(alive + 1, alive)).toEqual([]);
      expect((await temp.store.workers.processes()).length).toBe(1);
    });

    test("an end asked for while nobody listened is heard by the new process", async () => {
      await using temp = await makeStore();
      const { store, dead, alive, claimed } = await withDeadProcess(temp);
      await store.jobs.cancel([claimed[0].job.seq]);
      const taken = await store.leases.takeOver(dead, alive);
      const { lease } = taken.find(({ job }) => job.id === "one")!;
      expect((await store.leases.orders(alive)).cancel).toEqual([lease]);
      expect((await store.leases.orders(dead)).cancel).toEqual([]);
    });

    test("an order to leave was for the process before, and is not heard by the new one", async () => {
      await using temp = await makeStore();
      const { store, dead, alive } = await withDeadProcess(temp);
      await store.workers.stop(["worker-1"], "leave");
      await store.workers.stop(["worker-2"], "finish");
      await store.leases.takeOver(dead, alive);
      expect((await store.leases.orders(alive)).stop).toEqual(new Map([["worker-2", "finish"]]));
    });

    test("a job that ran before is known by the command that runs now", async () => {
      await using temp = await makeStore();
      const { store } = temp;
      const alive = await register(store, "worker-alive");
      const began = async ({ lease }: ClaimedJob, pid: number) => {
        const started = [{ lease, pid, pid_start: String(pid) }];
        await store.leases.exchange({ started, ended: [], settings, wanted: null });
      };
      const first = await runningJob(store);
      await began(first, 1);
      await settle(store, first.lease, exitWith(1));
      temp.clock.now += 3_600_000;
      const second = await runAgain(store, first.job.seq);
      await began(second, 2);
      const { process_id } = (await store.workers.processes()).find(({ worker_ids }) =>
        worker_ids.includes(second.worker_id),
      )!;
      expect(await store.leases.takeOver(process_id, alive)).toMatchObject([{ pid: 2, pid_start: "2" }]);
    });
  });

  describe("jobs that run by a worker nobody has entered", () => {
    test("are taken by new workers, and whoever still acts for them is refused", async () => {
      await using temp = await makeStore();
      const { store, forgotten, alive } = await withForgottenJob(temp);
      expect(await store.leases.takeForgotten(alive, forgotten.job.seq + 1000)).toEqual([]);
      const taken = await store.leases.takeForgotten(alive);
      expect(taken).toEqual([
        {
          ...forgotten,
          job: { ...forgotten.job, worker_id: taken[0]!.worker_id },
          lease: { job_seq: forgotten.job.seq, lease_seq: expect.any(Number) },
          worker_id: expect.not.stringMatching(forgotten.worker_id),
        },
      ]);
      expect(taken[0]!.lease.lease_seq).toBeGreaterThan(forgotten.lease.lease_seq);
      expect((await settle(store, forgotten.lease, exitWith(0))).stale).toEqual([forgotten.lease]);
      const [process] = (await store.workers.processes()).filter(({ process_id }) => process_id === alive);
      expect(process?.worker_ids.toSorted()).toEqual([taken[0]!.worker_id, "worker-alive"].toSorted());
      expect((await settle(store, taken[0]!.lease, endedAs("lost"))).settled).toHaveLength(1);
    });

    test("go to one of two who ask at once, and jobs of entered workers to nobody", async () => {
      await using temp = await makeStore();
      const { store, alive } = await withForgottenJob(temp);
      await jobIn(store, "processing");
      const other = await temp.another();
      const second = await register(other, "worker-other");
      const both = await Promise.all([store.leases.takeForgotten(alive), other.leases.takeForgotten(second)]);
      expect(both.map(({ length }) => length).toSorted()).toEqual([0, 1]);
    });
  });

  describe("jobs of a process whose lease has ended", () => {
    test("are taken by new workers, where leases end, and whoever still acts for them is refused", async () => {
      await using temp = await makeStore();
      const { store, dead, alive, claimed } = await withEndedLease(temp);
      const taken = await store.leases.takeExpired(alive);
      if (store.leaseMs === null) {
        expect(taken).toEqual([]);
        return;
      }
      expect(taken.map(({ job }) => job.id).toSorted()).toEqual(["one", "two"]);
      expect(await store.workers.heartbeat(dead)).toBe(false);
      expect((await settle(store, claimed[0].lease, exitWith(0))).stale).toEqual([claimed[0].lease]);
      const holders = taken.map(({ worker_id }) => worker_id);
      for (const { worker_id } of claimed) expect(holders).not.toContain(worker_id);
      expect(await processesOf(store)).toEqual([[alive, [...holders, "worker-alive"].toSorted()]]);
      const attempts = await store.jobs.attempts(taken[0]!.lease.job_seq);
      expect((await settle(store, taken[0]!.lease, endedAs("lost"))).settled).toHaveLength(1);
      // Where and by whom it was begun, whoever wrote how it ended.
      const { started_at, host } = attempts[0]!;
      expect(claimed.map(({ worker_id }) => worker_id)).toContain(attempts[0]!.worker_id);
      expect(host).toBe("here");
      expect(await store.jobs.attempts(taken[0]!.lease.job_seq)).toMatchObject([
        { worker_id: attempts[0]!.worker_id, host, started_at, result: "lost" },
      ]);
    });

    test("given one job, nothing but its worker is touched, and only once", async () => {
      await using temp = await makeStore();
      const { store, dead, alive, claimed } = await withEndedLease(temp);
      const { seq } = claimed[1].job;
      const taken = await store.leases.takeExpired(alive, seq);
      expect(taken.map(({ job }) => job.seq)).toEqual(store.leaseMs === null ? [] : [seq]);
      expect(await store.leases.takeExpired(alive, seq)).toEqual([]);
      if (store.leaseMs === null) return;
      expect(await processesOf(store)).toEqual([
        [dead, ["worker-1", "worker-idle"]],
        [alive, ["worker-alive", taken[0]!.worker_id].toSorted()],
      ]);
      expect((await store.leases.takeExpired(alive)).map(({ job }) => job.seq)).toEqual([claimed[0].job.seq]);
    });

    test("stay with it as long as it has not ended", async () => {
      await using temp = await makeStore();
      const { store, alive, claimed } = await withDeadProcess(temp);
      temp.clock.now += (store.leaseMs ?? 0) - 1;
      expect(await store.leases.takeExpired(alive)).toEqual([]);
      expect(await store.leases.takeExpired(alive, claimed[0].job.seq)).toEqual([]);
    });

    test("go to one of two who ask at once", async () => {
      await using temp = await makeStore();
      const { store, alive } = await withEndedLease(temp);
      const other = await temp.another();
      const second = await register(other, "worker-other");
      const both = await Promise.all([store.leases.takeExpired(alive), other.leases.takeExpired(second)]);
      expect(both.map(({ length }) => length).toSorted()).toEqual([0, store.leaseMs === null ? 0 : 2]);
    });
  });

  describe("retries after the clock was set back", () => {
    const hour = 3_600_000;

    test("none waits longer than its own delay from then on, however often they are mended", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const twice = await jobIn(store, "failed");
      await settle(store, (await afterItsDelay(temp, twice.seq)).lease, exitWith(1));
      const { seq } = await jobIn(store, "failed");
      clock.now -= hour;
      await store.leases.mendRetries();
      const mendedAt = clock.now;
      await register(store, "worker-a");
      clock.now = mendedAt + 1000;
      await store.leases.mendRetries();
      clock.now = mendedAt + 1999;
      expect(await claim(store)).toEqual([]);
      clock.now = mendedAt + 2000;
      expect((await claim(store)).map(({ job }) => job.seq)).toEqual([seq]);
      clock.now = mendedAt + 3999;
      expect(await claim(store)).toEqual([]);
      clock.now = mendedAt + 4000;
      expect((await claim(store)).map(({ job }) => job.seq)).toEqual([twice.seq]);
    });

    test("one waits for what was left of its delay when it is known how far, whoever mends it again", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { seq, id } = await jobIn(store, "failed");
      clock.now += 1500;
      clock.now -= hour;
      await store.leases.mendRetries(hour);
      await (await temp.another()).leases.mendRetries(hour);
      await store.leases.mendRetries();
      expect((await store.jobs.find(id)).finished_at).toBe(clock.now - 1500);
      await register(store, "worker-a");
      clock.now += 499;
      expect(await claim(store)).toEqual([]);
      clock.now += 1;
      expect((await claim(store)).map(({ job }) => job.seq)).toEqual([seq]);
    });

    test("a snoozed job waits for what was left of its time when it is known how far, whoever mends it again", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { job, lease } = await runningJob(store);
      await store.leases.snooze(job.seq, 1, 2000);
      await settle(store, lease, exitWith(0));
      const { id } = await store.jobs.enqueue(newJob({ run_at: clock.now + 2 * hour }));
      const scheduled = await store.jobs.find(id);
      clock.now += 1500;
      clock.now -= hour;
      await store.leases.mendRetries(hour);
      await (await temp.another()).leases.mendRetries(hour);
      expect(await store.jobs.find(id)).toEqual(scheduled);
      await register(store, "worker-a");
      clock.now += 499;
      expect(await claim(store)).toEqual([]);
      clock.now += 1;
      expect((await claim(store)).map((claimed) => claimed.job.seq)).toEqual([job.seq]);
    });

    test("a snoozed job waits no longer than its own time where less was seen than the clock was set back", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const { job, lease } = await runningJob(store);
      await store.leases.snooze(job.seq, 1, 2000);
      await settle(store, lease, exitWith(0));
      clock.now -= hour;
      await store.leases.mendRetries(60_000);
      expect((await store.jobs.find(job.id)).next_run_at).toBe(clock.now + 2000);
    });

    test("one that waits as it should is left alone, and so is a job scheduled for later", async () => {
      await using temp = await makeStore();
      const { store, clock } = temp;
      const failed = await jobIn(store, "failed");
      const scheduled = await store.jobs.enqueue(newJob({ run_at: clock.now + hour }));
      const dead = await jobIn(store, "dead");
      clock.now += 500;
      await store.leases.mendRetries();
      for (const job of [failed, scheduled, dead]) expect(await store.jobs.find(job.id)).toEqual(job);
      clock.now -= 600;
      await store.leases.mendRetries();
      for (const job of [scheduled, dead]) expect(await store.jobs.find(job.id)).toEqual(job);
    });
  });
}

async function afterItsDelay({ store, clock }: TempStore, seq: number) {
  const { now } = clock;
  clock.now += 2000;
  const claimed = await runAgain(store, seq);
  clock.now = now;
  return claimed;
}

/** A process that holds the jobs `one` and `two` and has one idle worker, and another one. */
async function withDeadProcess({ store }: TempStore) {
  const worker_ids = ["worker-1", "worker-2", "worker-idle"];
  const dead = await store.workers.register({
    identity,
    home: "/home",
    version: "1",
    queues: null,
    worker_ids,
    journal: "/dead",
  });
  for (const id of ["one", "two"]) await store.jobs.enqueue(newJob({ id }));
  const [first, second] = await claim(store, { worker_ids });
  const alive = await register(store, "worker-alive");
  return { store, dead, alive, claimed: [first!, second!] as const };
}

/** The same after the dead one's lease, where leases end. The living one was heard of just before. */
async function withEndedLease(temp: TempStore) {
  const { store, clock } = temp;
  const entered = await withDeadProcess(temp);
  clock.now += (store.leaseMs ?? 0) - 1;
  await store.workers.heartbeat(entered.alive);
  clock.now += 1;
  return entered;
}

const processesOf = async (store: Store) =>
  (await store.workers.processes()).map(({ process_id, worker_ids }) => [process_id, worker_ids.toSorted()]);

/** A job that runs, whose worker was taken out, beside a process that lives. */
async function withForgottenJob({ store }: TempStore) {
  const { seq } = await store.jobs.enqueue(newJob());
  await register(store, "worker-forgotten");
  const [forgotten] = await claim(store, { worker_ids: ["worker-forgotten"], only: seq });
  await store.workers.leave(["worker-forgotten"]);
  return { store, forgotten: forgotten!, alive: await register(store, "worker-alive") };
}
