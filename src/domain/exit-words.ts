// What an exit status means, in words.

import type { Attempt } from "./attempt.ts";

/** Numbers above 128 are what a shell makes of a signal; names as on Linux and macOS where they agree. */
const signals: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

/** `command or file not found`, `ended by SIGKILL`; undefined where the number says nothing by itself. */
export function exitWords(code: number): string | undefined {
  if (code === 0) return "success";
  if (code === 124) return "timed out";
  if (code === 126) return "not executable";
  if (code === 127) return "command or file not found";
  const signal = signals[code - 128];
  return signal === undefined ? undefined : `ended by ${signal}`;
}

/** How an attempt ended, for people: `exit 127, command or file not found`, `SIGKILL`, `timed out`, `running`. */
export function resultWords({
  result,
  exit_code,
  signal,
}: Pick<Attempt, "result" | "exit_code" | "signal">): string {
  switch (result) {
    case null:
      return "running";
    case "exited": {
      const words = exit_code === 0 ? undefined : exitWords(exit_code ?? 0);
      return words === undefined ? `exit ${exit_code}` : `exit ${exit_code}, ${words}`;
    }
    case "signalled":
      return `ended by ${signal ?? "a signal"}`;
    case "timed_out":
      return "timed out";
    case "not_started":
      return "could not start";
    case "snoozed":
      return `exit ${exit_code}, to be run again`;
    case "cancelled":
      return "cancelled";
    case "released":
      return "given back";
    case "lost":
      return "lost with its worker";
    case "rebooted":
      return "lost with its machine";
    default:
      return result satisfies never;
  }
}
