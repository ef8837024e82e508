// One run of a job. How it ended is data: a failing command is as ordinary as a succeeding one.

/**
 * - `exited`: the shell ended with an exit status, 0 or not
 * - `signalled`: a signal that was not ours ended the command, or its shell
 * - `timed_out`: it ran longer than the job's timeout and was ended
 * - `not_started`: no process could be made of it (missing directory, too long)
 * - `snoozed`: the command asked to be run again later, and exited
 * - `cancelled`: a user stopped it
 * - `released`: it was given back by a forced stop of its worker, or for want of room for its log or for another process
 * - `lost`: its worker process died, and the command left no result
 * - `rebooted`: its machine went down while it ran
 */
export type AttemptResult =
  | "exited"
  | "signalled"
  | "timed_out"
  | "not_started"
  | "snoozed"
  | "cancelled"
  | "released"
  | "lost"
  | "rebooted";

/** Results that use up one of the job's runs. */
const charged: ReadonlySet<AttemptResult> = new Set(["exited", "signalled", "timed_out", "not_started"]);

export const isCharged = (result: AttemptResult) => charged.has(result);

/** How an attempt ended, as its runner saw it. */
export interface Ending {
  readonly result: AttemptResult;
  /** 0 to 255; 124 when timed out, 126 or 127 when it could not start, 128 + the signal's number; null when nobody knows. */
  readonly exit_code: number | null;
  /** Such as `SIGKILL`, when a signal ended the command, as far as its shell can tell that from an exit status. */
  readonly signal: string | null;
  /** Why it did not succeed, in one line; null when it did. */
  readonly error: string | null;
  /** Something worth knowing that is no failure, such as processes left behind. */
  readonly note: string | null;
  /** Seconds from start to end, by a clock that nobody sets. */
  readonly duration: number;
  /** Seconds of processor time of the shell and all it waited for; null when unknown. */
  readonly cpu_time: number | null;
  /** Bytes; null when it cannot be told from the worker's own. */
  readonly peak_memory: number | null;
  /** Bytes of output that are kept. */
  readonly log_bytes: number;
  /** Whether there was more output than is kept. */
  readonly log_truncated: boolean;
  /** Bytes of output that are not kept; null when nobody counted them. */
  readonly log_left_out: number | null;
}

/** Of an attempt that had no process. */
export const endingOfNone = (why: Pick<Ending, "result" | "exit_code" | "error">): Ending => ({
  ...why,
  signal: null,
  note: null,
  duration: 0,
  cpu_time: null,
  peak_memory: null,
  log_bytes: 0,
  log_truncated: false,
  log_left_out: 0,
});

/** The record of one attempt. Moments are milliseconds since 1970, null while it runs. */
export interface Attempt extends Omit<Ending, "result" | "duration"> {
  /** 1 for a job's first run; never restarts. */
  readonly number: number;
  /** Null while it runs. */
  readonly result: AttemptResult | null;
  readonly worker_id: string;
  readonly host: string;
  readonly pid: number | null;
  readonly started_at: number;
  readonly finished_at: number | null;
  readonly duration: number | null;
}

/** Some of what an attempt printed. Places in output are counted from 0, with what was left out of it. */
export interface OutputPiece {
  /** Its first byte. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Output that is not kept, between the beginning and the end that are: from one place to before another. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}
