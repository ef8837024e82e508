// Gives the room of a part of a file back to the file system, while others go on writing to the file: fallocate(2) with
// FALLOC_FL_PUNCH_HOLE. ext4, XFS, Btrfs, ZFS and tmpfs of Linux can; what cannot says so.

import { closeSync, openSync } from "node:fs";

/** FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE of linux/falloc.h. */
const punchHole = 0x01 | 0x02;

/** The C libraries that Bun is built for, by the names that their makers gave them. */
const libraries = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

type Fallocate = (file: number, mode: number, offset: number, length: number) => number;

let found: Fallocate | null | undefined;

/** Makes the bytes from one place to before another zeroes that take no room. False where that cannot be. */
export function punch(path: string, from: number, to: number): boolean {
  found ??= process.platform === "linux" ? load() : null;
  if (found === null) return false;
  const file = openSync(path, "r+");
  try {
    return found(file, punchHole, from, to - from) === 0;
  } finally {
    closeSync(file);
  }
}

/** Null where there is no such function. Loaded by whoever needs it: few ever do. */
function load(): Fallocate | null {
  const { dlopen } = require("bun:ffi") as typeof import("bun:ffi");
  for (const library of libraries) {
    try {
      const { symbols } = dlopen(library, {
        fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
      });
      return (file, mode, offset, length) => symbols.fallocate(file, mode, BigInt(offset), BigInt(length));
    } catch {
      // Not this one.
    }
  }
  return null;
}
