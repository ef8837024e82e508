// Where benches put their data: one folder on a real disk for the whole run, and a new one below it for each round.

import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** statfs(2): what keeps files in memory only, where a sync to disk costs nothing. */
const tmpfs = 0x01021994;

const place =
  process.env.BENCH_FOLDER ?? (isInMemory(tmpdir()) ? resolve(import.meta.dir, "..", "dist") : tmpdir());

let folder: string | undefined;
let count = 0;

/** A new and empty folder. */
export function scratch(name: string): string {
  mkdirSync(place, { recursive: true });
  folder ??= mkdtempSync(join(place, "queuectl-bench-"));
  const path = join(folder, `${name}-${++count}`);
  mkdirSync(path);
  return path;
}

/** Removes all of them, unless BENCH_KEEP is set. */
export function removeScratch(): void {
  if (folder === undefined || !existsSync(folder)) return;
  if (process.env.BENCH_KEEP) console.error(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}

function isInMemory(path: string): boolean {
  return process.platform === "linux" && statfsSync(path).type === tmpfs;
}
