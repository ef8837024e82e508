// Looks for living processes, as the promises about them need it.

import { readdirSync, readFileSync } from "node:fs";
import { startOf } from "../../src/runner/process-identity.ts";

/** The pids of living processes with these very words (Linux). */
export function processesWith(words: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trimEnd() === words;
      } catch {
        return false;
      }
    })
    .map(Number)
    .filter((pid) => startOf(pid) !== undefined);
}

let drawn = 0;

/** A number of seconds that no other test sleeps for, so that its sleep can be found in the list of processes. */
export const ownSeconds = () => `${80_000 + (process.pid % 10_000)}.${++drawn}`;
