// Looks for living processes, as the promises about them need it.

import { readdirSync, readFileSync } from "node:fs";
import { startOf } from "../../src/runner/process-identity.ts";

/** The pids of living processes by their words (Linux). */
export function processesWhere(isWanted: (words: readonly string[]) => boolean): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => {
      try {
        return isWanted(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"));
      } catch {
        return false;
      }
    })
    .map(Number)
    .filter((pid) => startOf(pid) !== undefined);
}

/** The pids of living processes with these very words (Linux). */
export const processesWith = (words: string): number[] =>
  processesWhere((found) => found.join(" ").trimEnd() === words);

let drawn = 0;

/** A number of seconds that no other test sleeps for, so that its sleep can be found in the list of processes. */
export const ownSeconds = () => `${80_000 + (process.pid % 10_000)}.${++drawn}`;
