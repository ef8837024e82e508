// Shows a job's output while it grows, attempt after attempt.

import type { Attempt, Gap } from "../domain/attempt.ts";
import type { Job } from "../domain/job.ts";
import { type Stream, streamsOf } from "../domain/rules.ts";
import { formatSize } from "../domain/size.ts";
import { type OutputOptions, outputOf } from "../library/output.ts";
import { type Log, type LogPlace, logPath, openJobLog, piecesFrom } from "../store/logs.ts";
import { note, writeOut } from "./output.ts";
import { tamer } from "./tame.ts";

export interface FollowOptions extends OutputOptions {
  /** Called before the output of each attempt after the first. */
  readonly onAttempt?: (number: number) => void;
  /** Called when all is shown that an attempt printed, which has ended; what follows waits for it. */
  readonly onShown?: (attempt: Attempt) => Promise<void>;
  /** Lets nothing through but lines and their colours. */
  readonly tame?: boolean;
}

/** Fulfilled with the job as it was settled, or as it was when nobody read its output any more. */
export async function followJob({
  onAttempt,
  onShown,
  tame = false,
  ...options
}: FollowOptions): Promise<Job> {
  const { store, job, from } = options;
  const steps = outputOf(options);
  let shown = from;
  let out = printers(tame, options.stream !== undefined);
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
    if (value.kind === "ended") {
      await out.end();
      tellWhatIsMissing(options, job, value.attempt);
      await onShown?.(value.attempt);
      out = printers(tame, options.stream !== undefined);
      continue;
    }
    if (value.attempt !== shown) onAttempt?.(value.attempt);
    shown = value.attempt;
    if (value.gap) await out.skip(value.gap, value.stream);
    if (await out.print(value.bytes, value.stream)) continue;
    await steps.return(job);
    return store.jobs.find(job.id);
  }
}

/** That output is missing is a fact for readers, not a line in the output. */
export function tellGap({ from, to }: Gap, id?: string): void {
  const what = `${formatSize(to - from)} of ${whose(id)}`;
  const after = from === 0 ? "at its beginning" : `after ${formatSize(from)}`;
  note(
    `${what} ${to - from === 1 ? "was" : "were"} left out here, ${after} (settings log_limit and log_tail)`,
  );
}

/** The same of what nobody counted, and of a log that somebody removed. */
export function tellWhatIsMissing(place: LogPlace, job: Job, attempt: Attempt, id?: string): void {
  const { number, log_left_out, log_bytes } = attempt;
  if (log_left_out === null) note(`${whose(id)} was cut at ${formatSize(log_bytes)} (setting log_limit)`);
  for (const stream of log_bytes > 0 ? streamsOf(job.rules) : []) {
    using log = openJobLog(place, job.seq, number, stream);
    if (!log) note(`${whose(id)} is gone: there is no ${logPath(place, job.seq, number, stream)}`);
  }
}

const whose = (id: string | undefined) => (id === undefined ? "the output" : `the output of ${id}`);

/** What was written to stderr goes there again, where it is known. */
function printers(tame: boolean, isOneOnly: boolean) {
  const [out, error] = [printer(tame, 1), printer(tame, isOneOnly ? 1 : 2)];
  const to = (stream: Stream) => (stream === "stdout" ? out : error);
  return {
    print: (bytes: Uint8Array, stream: Stream) => to(stream).print(bytes),
    skip: (gap: Gap, stream: Stream) => to(stream).skip(gap),
    end: async () => (await out.end()) && error.end(),
  };
}

/** Prints output as it is, or tamed: nothing but lines and their colours. False when nobody reads it any more. */
function printer(tame: boolean, descriptor: 1 | 2) {
  let tamed = tame ? tamer() : undefined;
  return {
    print: async (bytes: Uint8Array) => writeOut(tamed ? tamed.lines(bytes) : bytes, descriptor),
    end: async () => tamed === undefined || writeOut(tamed.rest(), descriptor),
    /** Tells of what was left out, where it was. */
    async skip(gap: Gap) {
      const rest = tamed?.rest() ?? "";
      if (tame) tamed = tamer();
      if (rest !== "") await writeOut(`${rest}\n`, descriptor);
      tellGap(gap);
    },
  };
}

export interface CopyOptions {
  /** The first byte. */
  readonly from?: number;
  /** Lets nothing through but lines and their colours. */
  readonly tame?: boolean;
  /** 2 for stderr. */
  readonly to?: 1 | 2;
}

export interface Copier {
  /** Copies to stdout what the log has got since the last time. False when nobody reads it any more. */
  more(): Promise<boolean>;
  /** The same, once all is there. */
  end(): Promise<boolean>;
}

/** `open` is asked each time for what may not be there yet. */
export function copier(
  open: () => Log | undefined,
  { from = 0, tame = false, to = 1 }: CopyOptions = {},
): Copier {
  const out = printer(tame, to);
  let at = from;

  async function more(): Promise<boolean> {
    using log = open();
    if (!log) return true;
    for await (const { start, bytes } of piecesFrom(log, at)) {
      if (start > at) await out.skip({ from: at, to: start });
      at = start + bytes.length;
      if (!(await out.print(bytes))) return false;
    }
    return true;
  }

  return { more, end: async () => (await more()) && out.end() };
}
