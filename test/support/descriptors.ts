// How many files another process may open (Linux).

import { expect } from "bun:test";
import { readdirSync } from "node:fs";

export const openFiles = (pid: number) => new Set(readdirSync(`/proc/${pid}/fd`).map(Number));

/** From now on; what is open stays so. */
export function limitFiles(pid: number, most: number): void {
  expect(Bun.spawnSync(["prlimit", "--pid", String(pid), `--nofile=${most}:`]).exitCode).toBe(0);
}
