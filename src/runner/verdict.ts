// How an attempt ended, in the words of its record: built in one place from what its shell told and why it was ended.

import { constants } from "node:os";
import type { Ending } from "../domain/attempt.ts";
import { formatDuration } from "../domain/duration.ts";
import { type ExitRules, isSuccess } from "../domain/exit-rules.ts";
import type { EndReason, ShellExit } from "./supervise.ts";

export type Verdict = Pick<Ending, "result" | "exit_code" | "signal" | "error">;

export interface VerdictFacts {
  /** Seconds. */
  readonly timeout: number;
  /** The PATH that was searched. */
  readonly path: string | undefined;
  /** What counts as success is no failure to be told of. */
  readonly rules: ExitRules;
}

export function verdict(
  word: ShellExit | "lost" | "rebooted",
  reason: EndReason | undefined,
  facts: VerdictFacts,
): Verdict {
  const ended = verdictOf(word, reason, facts);
  return isSuccess(facts.rules, ended) ? { ...ended, error: null } : ended;
}

function verdictOf(
  word: ShellExit | "lost" | "rebooted",
  reason: EndReason | undefined,
  { timeout, path }: VerdictFacts,
): Verdict {
  const nothing = { exit_code: null, signal: null };
  switch (reason) {
    case "timed_out": {
      const error = `TimeoutExpired: ran longer than ${formatDuration(timeout)}`;
      return { result: "timed_out", exit_code: 124, signal: null, error };
    }
    case "cancelled":
      return { result: "cancelled", ...nothing, error: "cancelled by a user" };
    case "released":
      return { result: "released", ...nothing, error: "given back by a forced stop of its worker" };
    case undefined:
      break;
    default:
      return reason satisfies never;
  }
  switch (word) {
    case "lost": {
      const error = "lost: its worker died, and the command left no exit status";
      return { result: "lost", ...nothing, error };
    }
    case "rebooted":
      return { result: "rebooted", ...nothing, error: "lost: the machine went down while it ran" };
    default:
      return exitVerdict(word, path);
  }
}

function exitVerdict({ exit_code, signal }: ShellExit, path: string | undefined): Verdict {
  if (signal !== null) {
    return { result: "signalled", exit_code: signalStatus(signal), signal, error: `killed by ${signal}` };
  }
  const told = toldSignal(exit_code!);
  if (told) {
    const error = `exit status ${exit_code}, as after ${told}`;
    return { result: "signalled", exit_code, signal: told, error };
  }
  return { result: "exited", exit_code, signal: null, error: exitError(exit_code!, path) };
}

/** Why an exit status is no success. */
function exitError(exitCode: number, path: string | undefined): string {
  switch (exitCode) {
    case 126:
      return "exit status 126: not executable";
    case 127:
      return `exit status 127: command, file or interpreter not found; PATH is ${path ?? "(unset)"}`;
    default:
      return `exit status ${exitCode}`;
  }
}

/** 128 + the signal's number, as shells report a death by signal. */
const signalStatus = (signal: string) => 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);

/** Signals that end a process and make its shell say 128 + their number. */
const deadly = "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM XCPU XFSZ SYS"
  .split(" ")
  .map((name) => `SIG${name}` as NodeJS.Signals);

const toldSignal = (exitCode: number) => deadly.find((signal) => exitCode === signalStatus(signal));
