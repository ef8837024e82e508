// A disk of its own for a test: small, so that it can be full, and mounted, so that it can be made read-only.

import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp-home.ts";

export interface SmallDisk extends Disposable {
  readonly path: string;
  /** Leaves no room at all. */
  fill(): void;
  /** Leaves no room for another file, however small. */
  fillWithFiles(): void;
  /** Makes the room again that was taken. */
  free(): void;
  remount(mode: "ro" | "rw"): void;
}

export function smallDisk(kibibytes: number): SmallDisk {
  const folder = tempFolder();
  const path = join(folder.path, "disk");
  mkdirSync(path);
  run("mount", "-t", "tmpfs", "-o", `size=${kibibytes}k,nr_inodes=200,mode=777`, "queuectl-test", path);
  const ballast = join(path, "ballast");
  const files = join(path, "files");
  return {
    path,
    fill() {
      const file = openSync(ballast, "a");
      try {
        for (const size of [65_536, 4096, 1]) untilFull(() => writeSync(file, Buffer.alloc(size)));
      } finally {
        closeSync(file);
      }
    },
    fillWithFiles() {
      mkdirSync(files);
      untilFull((n) => writeFileSync(join(files, String(n)), ""));
    },
    free() {
      rmSync(ballast, { force: true });
      rmSync(files, { recursive: true, force: true });
    },
    remount: (mode) => run("mount", "-o", `remount,${mode}`, path),
    [Symbol.dispose]() {
      run("umount", "--lazy", path);
      folder[Symbol.dispose]();
    },
  };
}

/** A disk whose file system cannot free a part of a file. */
export function plainDisk(): Disposable & { readonly path: string } {
  const folder = tempFolder();
  const path = join(folder.path, "disk");
  mkdirSync(path);
  run("mount", "-t", "ramfs", "-o", "mode=777", "queuectl-test", path);
  return {
    path,
    [Symbol.dispose]() {
      run("umount", "--lazy", path);
      folder[Symbol.dispose]();
    },
  };
}

function untilFull(add: (n: number) => void): void {
  try {
    for (let n = 0; ; n++) add(n);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

function run(...words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(words, { stdout: "ignore" });
  if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
}

/** Why there can be no such disk here; undefined where there can, and under CI, where there must. */
export const noSmallDisk: string | undefined = process.env.CI === "true" ? undefined : tryOne();

function tryOne(): string | undefined {
  try {
    smallDisk(64)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    const reason = `nothing can be mounted here: ${(error as Error).message.trim()}`;
    console.warn(`skipped what needs a small disk: ${reason}`);
    return reason;
  }
}
