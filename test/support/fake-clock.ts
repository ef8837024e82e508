// A wall clock for whole processes that a test can set, while their steady clock goes on: Debian's libfaketime. The machine's own
// clock is never touched.

import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface FakeClock {
  /** What a process needs in its environment to go by this clock. */
  readonly environment: Readonly<Record<string, string>>;
  /** Sets the clock, so many seconds from the right time, for all processes at once. */
  set(offsetSeconds: number): void;
}

export function fakeClock(folder: string): FakeClock {
  const path = join(folder, "clock");
  const set = (offset: number) => {
    // By renaming: a process never reads half a number.
    writeFileSync(`${path}.new`, `${offset < 0 ? "-" : "+"}${Math.abs(offset)}\n`);
    renameSync(`${path}.new`, path);
  };
  set(0);
  return {
    environment: {
      LD_PRELOAD: library ?? "",
      FAKETIME_TIMESTAMP_FILE: path,
      FAKETIME_NO_CACHE: "1",
      // Newer versions of libfaketime call it so, older ones the other way.
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      DONT_FAKE_MONOTONIC: "1",
    },
    set,
  };
}

const library = findLibrary();

/** Why there is no such clock here; undefined where there is, and under CI, where there must be. */
export const noFakeClock: string | undefined =
  library || process.env.CI === "true" ? undefined : "libfaketime is missing (apt-get install libfaketime)";

if (noFakeClock) console.warn(`skipped what needs another clock: ${noFakeClock}`);
if (!library && !noFakeClock) throw new Error("libfaketime is missing: apt-get install libfaketime");

function findLibrary(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const folders = ["/usr/lib", ...readdirSync("/usr/lib").map((name) => join("/usr/lib", name))];
  return folders
    .map((folder) => join(folder, "faketime", "libfaketime.so.1"))
    .find((path) => existsSync(path));
}
