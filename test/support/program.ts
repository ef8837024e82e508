// The program that tests run: the binary, as it is released and twice as quick to start as its source, built when it is older than that.

import { renameSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

export const binary = join(root, "dist", "queuectl");

const source = [process.execPath, join(root, "queuectl.ts")];

/** What it is made of. */
const sources = ["queuectl.ts", "package.json", "bun.lock", ".ci/build", "src/**", "views/**"];

/** Or the source, where `QUEUECTL_TESTED` says `source`. */
export const program: readonly string[] = process.env.QUEUECTL_TESTED === "source" ? source : [built()];

function built(): string {
  if (!isStale()) return binary;
  // Whatever runs the former one goes on with it, and two that build at once do not write over each other.
  const fresh = `${binary}.${process.pid}`;
  try {
    const { exitCode, stderr } = Bun.spawnSync(["bash", join(root, ".ci", "build"), "", "", fresh]);
    if (exitCode !== 0) throw new Error(`the program could not be built: ${stderr}`);
    renameSync(fresh, binary);
  } finally {
    rmSync(fresh, { force: true });
  }
  return binary;
}

function isStale(): boolean {
  const madeAt = statSync(binary, { throwIfNoEntry: false })?.mtimeMs;
  if (madeAt === undefined) return true;
  return sources.some((pattern) =>
    [...new Bun.Glob(pattern).scanSync({ cwd: root, absolute: true, dot: true })].some(
      (path) => statSync(path).mtimeMs > madeAt,
    ),
  );
}
