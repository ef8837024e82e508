// How much memory a command may use: by its control group, where the kernel counts memory in ours (cgroup v2 with the memory
// controller); elsewhere by process, with what each may write to. A limit of address space would be wrong: runtimes reserve far more
// than they use.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ending } from "../domain/attempt.ts";
import { formatSize } from "../domain/size.ts";

/** Gives a group without processes a limit; false where the kernel counts no memory there. Nothing of it is swapped out instead. */
export function limitMemory(cgroup: string, bytes: number): boolean {
  if (!write(join(cgroup, "memory.max"), String(bytes))) return false;
  write(join(cgroup, "memory.swap.max"), "0");
  return true;
}

/** Lets the groups below these, one below the other, be limited; false where that cannot be, as below one with processes in it. */
export const countMemoryBelow = (...cgroups: readonly string[]): boolean =>
  cgroups.every((cgroup) => write(join(cgroup, "cgroup.subtree_control"), "+memory"));

function write(path: string, text: string): boolean {
  try {
    // Never made: where there is no such file the kernel does not know it.
    writeFileSync(path, text, { flag: "r+" });
    return true;
  } catch {
    return false;
  }
}

/** Shell words that limit each process that comes from here on. */
export const limitByProcess = (bytes: number) => `ulimit -d ${Math.ceil(bytes / 1024)}; `;

type Told = Pick<Ending, "error" | "note">;

/** How a run is told of that had a limit, from what its group says. */
export function toldOfMemory<T extends Told>(ended: T, limit: number, cgroup: string | null): T {
  const most = formatSize(limit);
  const kills = cgroup === null ? undefined : killsIn(cgroup);
  if (kills === undefined) {
    const note = `each of its processes could have ${most}: there is no control group that counts memory here`;
    return ended.error === null ? ended : { ...ended, note: both(ended.note, note) };
  }
  if (kills === 0) return ended;
  if (ended.error !== null) return { ...ended, error: `out of memory, more than ${most}: ${ended.error}` };
  return { ...ended, note: both(ended.note, `the kernel killed a part of it: more memory than ${most}`) };
}

const both = (one: string | null, other: string) => (one === null ? other : `${one}; ${other}`);

/** How many of a group's processes the kernel killed for want of memory; undefined where the group has no limit. */
function killsIn(cgroup: string): number | undefined {
  try {
    if (readFileSync(join(cgroup, "memory.max"), "utf8").trim() === "max") return undefined;
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(join(cgroup, "memory.events"), "utf8"))?.[1] ?? 0);
  } catch {
    return undefined;
  }
}
