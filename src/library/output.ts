// What a job prints, attempt after attempt, while it runs and when it has: wherever it runs, and wherever its output lies.

import type { Attempt, Gap } from "../domain/attempt.ts";
import { isSettled, type Job } from "../domain/job.ts";
import { type Stream, streamsOf } from "../domain/rules.ts";
import { openJobLog, piecesFrom } from "../store/logs.ts";
import type { Store } from "../store/store.ts";
import { makeWakeup } from "../worker/wakeup.ts";
import { watchMoved, wokenByAbort } from "./until-all.ts";

/** How often a growing file is read and a running job is looked at, and a server is asked at most. */
const tickMs = 40;
/** How often a server is asked for output, which comes to it about once a second. */
const askMs = 500;

export interface OutputOptions {
  readonly store: Store;
  readonly home: string;
  readonly job: Job;
  /** The first attempt. */
  readonly from: number;
  /** The first byte of that attempt's output on each stream; all of it without. */
  readonly start?: Readonly<Record<Stream, number>> | undefined;
  /** Later attempts too, until the job is settled. */
  readonly onwards: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Only this, where stdout and stderr are kept apart. */
  readonly stream?: Stream | undefined;
}

/** Some of an attempt's output, in its order; or that an attempt ended, all of whose output came before. */
export type OutputStep =
  | {
      readonly kind: "output";
      readonly attempt: number;
      /** Always `stdout` where they are not kept apart. */
      readonly stream: Stream;
      readonly bytes: Uint8Array;
      /** What was left out before these bytes; they may be none. */
      readonly gap: Gap | undefined;
    }
  | { readonly kind: "ended"; readonly attempt: Attempt };

/** Returns the job as it was settled; or as it was, when only one attempt was asked for or the signal is aborted. */
export async function* outputOf(options: OutputOptions): AsyncGenerator<OutputStep, Job, undefined> {
  const { store, job, from, onwards, signal } = options;
  using pace = paceOf(store, signal);
  let number = from;
  let read = { ...(options.start ?? nothingRead()) };
  const wanted = streamsOf(job.rules).filter((one) => one === (options.stream ?? one));
  const refuseMoved = watchMoved(store);
  for (;;) {
    await refuseMoved();
    // The order matters: what is read after an end was seen is all there is.
    const now = await store.jobs.find(job.id);
    const attempts = await store.jobs.attempts(job.seq);
    const attempt = attempts.find((one) => one.number === number);
    for (const stream of wanted) {
      for await (const { start, bytes } of newOutput(options, {
        attempt: number,
        stream,
        from: read[stream],
      })) {
        const gap = start > read[stream] ? { from: read[stream], to: start } : undefined;
        read[stream] = start + bytes.length;
        yield { kind: "output", attempt: number, stream, bytes, gap };
      }
    }
    if (attempt !== undefined && attempt.result !== null) {
      yield { kind: "ended", attempt };
      const isLast = isSettled(now.state) && number >= attempts.length;
      if (!onwards || isLast) return now;
      number++;
      read = nothingRead();
      if (number <= attempts.length) continue;
    } else if (attempt === undefined && isSettled(now.state)) {
      return now;
    }
    if (signal?.aborted) return now;
    await pace.pause();
  }
}

const nothingRead = (): Record<Stream, number> => ({ stdout: 0, stderr: 0 });

interface Place {
  readonly attempt: number;
  readonly stream: Stream;
  readonly from: number;
}

async function* newOutput({ store, home, job }: OutputOptions, { attempt, stream, from }: Place) {
  using log = openJobLog({ store, home }, job.seq, attempt, stream);
  if (log) yield* piecesFrom(log, from);
}

/** The time between two looks. */
function paceOf(store: Store, signal: AbortSignal | undefined): Disposable & { pause(): Promise<void> } {
  if (!store.output) return { pause: () => Bun.sleep(tickMs), [Symbol.dispose]() {} };
  const wakeup = makeWakeup();
  const watch = store.watch(wakeup.wake);
  const abort = wokenByAbort(signal, wakeup);
  return {
    async pause() {
      await Bun.sleep(tickMs);
      await wakeup.wait(askMs);
    },
    [Symbol.dispose]() {
      watch[Symbol.dispose]();
      abort[Symbol.dispose]();
    },
  };
}
