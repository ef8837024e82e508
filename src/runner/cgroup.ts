// Control groups, where the kernel lets us have some (cgroup v2, writable): what a command starts stays in its group whatever
// it does, so nothing can be missed when the command is ended. Elsewhere the process group and the mark must do.
//
// A worker process has a folder of its own below the group that it runs in, with one group for each command that runs at a
// time. A group is used again when it is empty, because making and removing one costs as much as starting a small command;
// one in which a daemon stayed is left to it, and one that was killed is removed: Linux 6.18 kills at once whatever is started in it.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isWantOfRoom } from "../domain/errors.ts";
import { countMemoryBelow, limitMemory } from "./memory.ts";
import { startOf } from "./process-identity.ts";

export interface Cgroups extends Disposable {
  /** An empty group for one command, with a limit of memory where one is wanted and can be had; null where there are none. */
  take(memory: number | undefined): Cgroup | null;
  /** Gives a group back when its command has ended; `killed`: by a KILL to the group. */
  giveBack(cgroup: Cgroup, killed: boolean): void;
}

interface Cgroup {
  readonly path: string;
  readonly isLimited: boolean;
}

/** Of no other process, also not of one whose pid it has: in what that one left a daemon may live. */
const folderName = (pid: number, start: string) => `queuectl-${pid}-${start}`;

export function openCgroups(): Cgroups {
  const own = ownCgroup();
  const start = startOf(process.pid);
  const folder = own && start && join(own, folderName(process.pid, start));
  if (!own || !folder || !make(folder)) return noCgroups;
  removeRemains(own);
  const free: string[] = [];
  let made = 0;
  return {
    take(memory) {
      while (memory === undefined && free.length > 0) {
        const path = free.pop()!;
        // Who looks after control groups here may remove those that are empty.
        if (existsSync(path)) return { path, isLimited: false };
      }
      const path = join(folder, String(++made));
      if (!make(path)) return null;
      return { path, isLimited: memory !== undefined && isLimited(path, memory) };
    },
    // The counts of a group that had a limit are those of its one command.
    giveBack({ path, isLimited }, killed) {
      if (mayHaveMembers(path)) return;
      if (killed || isLimited) removeTree(path);
      else free.push(path);
    },
    [Symbol.dispose]: () => removeTree(folder),
  };

  function isLimited(path: string, memory: number): boolean {
    return limitMemory(path, memory) || (countMemoryBelow(own!, folder!) && limitMemory(path, memory));
  }
}

const noCgroups: Cgroups = { take: () => null, giveBack: () => {}, [Symbol.dispose]: () => {} };

function mayHaveMembers(path: string): boolean {
  try {
    return membersOfCgroup(path).length > 0;
  } catch (error) {
    if (!isWantOfRoom(error)) throw error;
    return true;
  }
}

/** The living processes in a group; none when there is no such group. Throws where no descriptor is left to look with. */
export function membersOfCgroup(path: string): number[] {
  try {
    const text = readFileSync(join(path, "cgroup.procs"), "latin1");
    return text === "" ? [] : text.trimEnd().split("\n").map(Number);
  } catch (error) {
    if (isWantOfRoom(error)) throw error;
    return [];
  }
}

/** KILL to everything in a group and below, at one stroke. False where the kernel cannot (before 5.14). */
export function killCgroup(path: string): boolean {
  try {
    writeFileSync(join(path, "cgroup.kill"), "1");
    return true;
  } catch {
    return false;
  }
}

/** The group that a process must be put into to belong to no command any more; undefined when it belongs to none. */
export function cgroupOutsideOfAttempts(): string | undefined {
  const own = ownCgroup();
  const at = own?.search(/\/queuectl-\d+-\d+\/\d+(\/|$)/) ?? -1;
  return at < 0 ? undefined : own!.slice(0, at);
}

/** The folder of the cgroup v2 group that this process is in. */
function ownCgroup(): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "utf8"))?.[1];
    const path = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    return mount === undefined || path === undefined ? undefined : join(mount, path).replace(/\/$/, "");
  } catch {
    return undefined;
  }
}

function make(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Removes the folders of worker processes that are dead, as far as they are empty. */
function removeRemains(own: string): void {
  for (const name of readdirSync(own)) {
    const [, pid, start] = /^queuectl-(\d+)-(\d+)$/.exec(name) ?? [];
    if (pid !== undefined && startOf(Number(pid)) !== start) removeTree(join(own, name));
  }
}

/** A group with processes in it cannot be removed, and stays. */
function removeTree(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    }
    rmdirSync(folder);
  } catch {
    // Somebody is still in there.
  }
}
