// Programs as one binary, built as releases are, but not over the one that somebody may be running.

import { join, resolve } from "node:path";
import { scratch } from "./scratch.ts";

const root = resolve(import.meta.dir, "..");

/** The path of the program that a file of the repository becomes; it is built once. */
export function built(...source: readonly string[]): string {
  const path = join(root, ...source);
  const known = programs.get(path);
  if (known !== undefined) return known;
  const program = join(scratch("binary"), "queuectl");
  const { exitCode, stderr } = Bun.spawnSync(["bash", join(root, ".ci", "build"), "", "", program, path]);
  if (exitCode !== 0) throw new Error(`${path} could not be built: ${stderr.toString().slice(0, 500)}`);
  programs.set(path, program);
  return program;
}

const programs = new Map<string, string>();
