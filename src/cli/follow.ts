// Shows a job's output while it grows, attempt after attempt.

import type { Attempt } from "../domain/attempt.ts";
import { isSettled, type Job } from "../domain/job.ts";
import { formatSize } from "../domain/settings.ts";
import { type Log, openJobLog } from "../store/logs.ts";
import type { Store } from "../store/store.ts";
import { makeWakeup } from "../worker/wakeup.ts";
import { note, writeOut } from "./output.ts";
import { tamer } from "./tame.ts";

/** How often a growing file is read and a running job is looked at, and a server is asked at most. */
const tickMs = 40;
/** How often a server is asked for output, which comes to it about once a second. */
const askMs = 500;

export interface FollowOptions {
  readonly store: Store;
  readonly home: string;
  readonly job: Job;
  /** The first attempt to show. */
  readonly from: number;
  /** Show later attempts too, until the job is settled. */
  readonly onwards: boolean;
  /** Called before the output of each attempt after the first. */
  readonly onAttempt?: (number: number) => void;
  /** Lets nothing through but lines and their colours. */
  readonly tame?: boolean;
}

/** Fulfilled with the job as it was settled, or as it was when nobody read its output any more. */
export async function followJob(options: FollowOptions): Promise<Job> {
  const { store, home, job, from, onwards, onAttempt, tame = false } = options;
  using pace = paceOf(store);
  const log = (attempt: number) => () => openJobLog({ store, home }, job.seq, attempt);
  let number = from;
  let copy = copier(log(number), { tame });
  for (;;) {
    // The order matters: what is read after an end was seen is all there is.
    const now = await store.jobs.find(job.id);
    const attempts = await store.jobs.attempts(job.seq);
    const attempt = attempts.find((one) => one.number === number);
    const over = attempt !== undefined && attempt.result !== null;
    if (!(await (over ? copy.end() : copy.more()))) return now;
    if (over) {
      tellIfCut(attempt);
      if (!onwards || (isSettled(now.state) && number >= attempts.length)) return now;
      if (attempts.length > number || !isSettled(now.state)) {
        number++;
        copy = copier(log(number), { onFirst: () => onAttempt?.(number), tame });
      }
    } else if (attempt === undefined && isSettled(now.state)) {
      return now;
    }
    await pace.pause();
  }
}

/** The time between two looks. */
function paceOf(store: Store): Disposable & { pause(): Promise<void> } {
  if (!store.output) return { pause: () => Bun.sleep(tickMs), [Symbol.dispose]() {} };
  const wakeup = makeWakeup();
  const watch = store.watch(wakeup.wake);
  return {
    async pause() {
      await Bun.sleep(tickMs);
      await wakeup.wait(askMs);
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

/** That output is missing is a fact for readers, not a line in the output. */
export function tellIfCut(attempt: Attempt): void {
  if (attempt.log_truncated)
    note(`the output was cut at ${formatSize(attempt.log_bytes)} (setting log_limit)`);
}

export interface CopyOptions {
  /** The first byte. */
  readonly from?: number;
  /** Called before the first output. */
  readonly onFirst?: () => void;
  /** Lets nothing through but lines and their colours. */
  readonly tame?: boolean;
}

export interface Copier {
  /** Copies to stdout what the log has got since the last time. False when nobody reads it any more. */
  more(): Promise<boolean>;
  /** The same, once all is there. */
  end(): Promise<boolean>;
}

/** What is read at once. */
const pieceBytes = 256 * 1024;

/** `open` is asked each time for what may not be there yet. */
export function copier(
  open: () => Log | undefined,
  { from = 0, onFirst, tame = false }: CopyOptions = {},
): Copier {
  const tamed = tame ? tamer() : undefined;
  let at = from;
  let first = true;

  const write = async (bytes: Uint8Array) => {
    if (first) onFirst?.();
    first = false;
    return writeOut(tamed ? tamed.lines(bytes) : bytes);
  };

  async function more(): Promise<boolean> {
    using log = open();
    if (!log) return true;
    for (;;) {
      const bytes = await log.read(at, pieceBytes);
      at += bytes.length;
      if (bytes.length > 0 && !(await write(bytes))) return false;
      if (bytes.length < pieceBytes) return true;
    }
  }

  return {
    more,
    end: async () => (await more()) && (tamed === undefined || (await writeOut(tamed.rest()))),
  };
}
