// Whether a process runs, as a user would ask.

import { readFileSync } from "node:fs";
import { waitUntil } from "./wait-until.ts";

/** A zombie does not run. */
export function isRunning(pid: number): boolean {
  const { stdout } = Bun.spawnSync(["ps", "-o", "stat=", "-p", String(pid)]);
  const state = stdout.toString().trim();
  return state !== "" && !state.startsWith("Z");
}

/** The pid that a command writes into a file. */
export const pidIn = (path: string): Promise<number> =>
  waitUntil("a pid is written", () => {
    try {
      return Number(readFileSync(path, "utf8").trim()) || undefined;
    } catch {
      return undefined;
    }
  });
