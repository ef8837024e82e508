// queuectl wait: return when jobs are settled.

import { isSettled, type Job, type JobState } from "../../domain/job.ts";
import { oneLine } from "../../domain/one-line.ts";
import { deadlineOf, lookMs, restMs, untilAll } from "../../library/until-all.ts";
import type { Store } from "../../store/store.ts";
import { makeWakeup } from "../../worker/wakeup.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done, statusOfJob, timedOut } from "../exit-status.ts";
import { unservedOf, unservedText } from "../hint-at-workers.ts";
import { hint, note } from "../output.ts";
import { isUnavailable, patientStore, toldBy } from "../patient-store.ts";
import { makeMeter, type Progress, progressBar, progressLine, timeLeft } from "../progress.ts";
import { type CountUnsettled, firstFailed, unsettledCounter } from "../unsettled.ts";
import { seconds } from "../values.ts";
import { isByFilter, type WhichOptions, whichFlags } from "../which-jobs.ts";

export const commands: Commands = {
  wait: {
    usage: "wait <id…> | --tag <tag> | --queue <name> | --all [options]",
    flags: [
      ...whichFlags("For all jobs"),
      ["--timeout <duration>", "How long to wait at most; exits with 124 then"],
    ],
    run: wait,
  },
};

interface WaitOptions extends WhichOptions {
  readonly timeout?: string;
}

async function wait(context: Context, words: readonly string[], options: WaitOptions): Promise<number> {
  const { tag, queue } = options;
  const isFilter = isByFilter("wait for", words, options);
  const limit = options.timeout === undefined ? undefined : seconds("timeout", options.timeout);
  await using opened = await context.openStore();
  const until = deadlineOf(limit);
  const store = patientStore(opened, { ...toldBy(note), until });
  let failed: Waited;
  try {
    failed = isFilter
      ? await untilMatching(store, { tag, queue }, limit)
      : await untilNamed(store, words, limit);
  } catch (error) {
    if (!isUnavailable(error) || performance.now() < until) throw error;
    failed = "time is up";
  }
  if (failed === "time is up") {
    note("queuectl: the time is up and not all jobs are settled");
    return timedOut;
  }
  if (failed === undefined) {
    hint("all of them are completed");
    return done;
  }
  note(`queuectl: ${fateOf(failed)}`);
  return statusOfJob(failed);
}

function fateOf({ id, state, last_error: error }: Job): string {
  if (state === "cancelled") return `job ${id} was cancelled`;
  return `job ${id} is dead${error ? ` (${oneLine(error)})` : ""}; what it printed: queuectl logs ${id}`;
}

/** The first job that did not complete, if there is one. */
type Waited = Job | undefined | "time is up";

async function untilNamed(
  store: Store,
  words: readonly string[],
  limit: number | undefined,
): Promise<Waited> {
  const jobs: Job[] = [];
  for (const word of words) jobs.push(await store.jobs.find(word));
  for (const { id, held } of jobs)
    if (held) note(`queuectl: job ${id} is held; queuectl release ${id} lets it run`);
  using _teller = tellOfNoWorker(store, async () => jobs.filter(({ state }) => !isSettled(state)));
  const settled = await untilAll(store, jobs, isSettled, { timeout: limit });
  return settled ? settled.find((job) => statusOfJob(job) !== done) : "time is up";
}

/** Jobs that are enqueued while it waits are not waited for, so that it ends. */
async function untilMatching(
  store: Store,
  filter: { readonly tag: string | undefined; readonly queue: string | undefined },
  limit: number | undefined,
): Promise<Waited> {
  const waited = { ...filter, before: (await store.matching.newest()) + 1 };
  const { jobs } = await store.matching.count(filter, { before: waited.before, limit: 1 });
  if (jobs === 0) note("queuectl: there is no such job to wait for; queuectl list shows those there are");
  const count = unsettledCounter(store, waited);
  using progress = progressLine();
  const someWaiting = async () => {
    const window = { before: waited.before, limit: 100, scan: 1000 };
    const page = (state: JobState) => store.matching.page({ ...filter, state }, window);
    const [pending, failed] = await Promise.all([page("pending"), page("failed")]);
    return [...pending.jobs, ...failed.jobs];
  };
  using _teller = tellOfNoWorker(store, someWaiting, progress.clear);
  const isInTime = await untilNone(store, count, limit, progress);
  return isInTime ? firstFailed(store, waited) : "time is up";
}

/** How long somebody may wait without a worker before being told. */
const tellAfterMs = 1000;

/** Whoever waits for jobs that nobody runs would wait for ever, and not know. */
function tellOfNoWorker(
  store: Store,
  waitedFor: () => Promise<readonly Job[]>,
  beforeTelling: () => void = () => {},
): Disposable {
  const timer = setTimeout(async () => {
    try {
      const queues = [...new Set((await waitedFor()).map(({ queue }) => queue))];
      const unserved = await unservedOf(store, queues);
      if (unserved.length === 0) return;
      beforeTelling();
      note(`queuectl: ${unservedText(unserved)}`);
    } catch {
      // Trouble with the database is told by what waits.
    }
  }, tellAfterMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

async function untilNone(
  store: Store,
  count: CountUnsettled,
  limit: number | undefined,
  progress: Progress,
): Promise<boolean> {
  const wakeup = makeWakeup();
  using _watch = store.watch(wakeup.wake);
  const meter = makeMeter();
  const deadline = deadlineOf(limit);
  let total: number | undefined;
  for (;;) {
    const left = await count();
    total ??= left;
    if (left === 0) return true;
    const settled = Math.max(0, total - left);
    progress.showNow(settledText(settled, total, meter.rate(settled)));
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await wakeup.wait(Math.min(lookMs, leftMs));
    // Who waits for many jobs is told of each change at once; to look as often would cost the workers more than it tells.
    await Bun.sleep(Math.min(restMs, Math.max(0, deadline - performance.now())));
  }
}

const settledText = (settled: number, total: number, rate: number) =>
  progressBar(
    settled / total,
    [`${settled} of ${total}`, `${Number(rate.toPrecision(2))}/s`, timeLeft(total - settled, rate)]
      .filter(Boolean)
      .join(", "),
  );
