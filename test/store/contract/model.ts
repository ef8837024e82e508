// Random lives of a queue, step by step in a store and in a model of a few lines; after each step they must agree.
// `MODEL_RUNS=5000 bun test test/store -t "random lives"` looks further than usual.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Job } from "../../../src/domain/job.ts";
import type { Lease } from "../../../src/domain/lease.ts";
import type { Store } from "../../../src/store/store.ts";
import * as queue from "../../support/queue-model.ts";
import { allJobs } from "../../support/sample-jobs.ts";
import type { MakeStore, TempStore } from "../../support/temp-store.ts";
import { addProcess, type Step, steps } from "./model-steps.ts";
import { expectCountsToAgree } from "./stats.ts";

type Model = queue.QueueModel;

export function modelContract(makeStore: MakeStore, lives = 100): void {
  const runs = Number(process.env.MODEL_RUNS ?? lives);
  test(`the store agrees with the model after every step of ${runs} random lives`, async () => {
    const commands = fc.commands(steps.map(compared), { maxCommands: 60, size: "max" });
    const property = fc.asyncProperty(commands, async (life) => {
      await using real = await makeStore();
      const model = queue.emptyModel();
      for (let n = 0; n < 2; n++) await addProcess(model, real.store);
      await fc.asyncModelRun(() => ({ model, real }), life);
    });
    await fc.assert(property, { numRuns: runs });
  }, 3_600_000);
}

const compared = (steps: fc.Arbitrary<Step>): fc.Arbitrary<fc.AsyncCommand<Model, TempStore>> =>
  steps.map(({ name, run }) => ({
    check: () => true,
    async run(model, real) {
      await run(model, real);
      await expectAgreement(model, real.store);
    },
    toString: () => name,
  }));

/**
 * Whether a job is told that it waits for its key depends on whether a claim has met it; and of several parents that failed one is
 * named, with how it ended.
 */
const comparable = ({ last_error, ...job }: Job): Job => ({
  ...job,
  last_error:
    last_error?.replace(/^job \S+, which it comes after, is \w+/, "a job that it comes after") ?? null,
  next_run_at: job.key === null ? job.next_run_at : null,
});

async function expectAgreement(model: Model, store: Store): Promise<void> {
  const expected = [...model.jobs.values()];
  expect((await allJobs(store)).map(comparable)).toEqual(
    expected.map(({ job }) => comparable(job)).toReversed(),
  );
  for (const { job, attempts } of expected) {
    const kept = (await store.jobs.attempts(job.seq)).map(
      ({ number, worker_id, started_at, result, finished_at }) => ({
        number,
        worker_id,
        started_at,
        result,
        finished_at,
      }),
    );
    expect(kept).toEqual(attempts);
  }
  const running = queue.jobsIn(model, "processing");
  const workers = (await store.workers.list()).map(({ id, job_id }) => `${id} ${job_id}`);
  const jobOf = (id: string) => running.find(({ job }) => job.worker_id === id)?.job.id ?? null;
  expect(workers.toSorted()).toEqual(
    [...model.processes.values()].flatMap((ids) => [...ids].map((id) => `${id} ${jobOf(id)}`)).toSorted(),
  );
  for (const [process_id, ids] of model.processes) {
    const asked = running.filter((entry) => entry.cancel_requested && ids.has(entry.job.worker_id!));
    const { cancel } = await store.leases.orders(process_id);
    const bySeq = (a: Lease, b: Lease) => a.job_seq - b.job_seq;
    expect(cancel.toSorted(bySeq)).toEqual(asked.map(queue.leaseOf).sort(bySeq));
  }
  const { success_runs, failed_runs } = await store.stats.read();
  expect({ success_runs, failed_runs }).toEqual({
    success_runs: model.success_runs,
    failed_runs: model.failed_runs,
  });
  await expectCountsToAgree(store);
}
