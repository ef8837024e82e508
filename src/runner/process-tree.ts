// Ends everything an attempt started: its process group, and whatever left the group but is still in its control group or,
// where there is none, carries its mark. Asked by TERM first, then forced by KILL; done only when nothing of it runs any more.

import { isWantOfRoom } from "../domain/errors.ts";
import { killCgroup, membersOfCgroup } from "./cgroup.ts";
import type { Mark } from "./mark.ts";
import { statOf } from "./process-identity.ts";
import { lookAround } from "./process-table.ts";

const pollMs = 20;
/** Reading every environment is dearer than asking for a group. */
const searchMs = 100;
/** How long after KILL a process may take to vanish; one that hangs in the kernel (a dead network disk) takes longer. */
const killPatienceMs = 5_000;

export interface ProcessTree {
  /** The process group, which is the pid of the attempt's shell; null when it is not known. */
  readonly group: number | null;
  readonly mark: Mark;
  /** The folder of its control group; null where it has none. */
  readonly cgroup: string | null;
}

/** Whether what has left the process group is meant too. */
export type Reach = "everything" | "group only";

/**
 * TERM to the tree, KILL after `graceMs` to what is left. Fulfilled when nothing of it runs, with the pids of what survived
 * even that (none, as a rule).
 */
export async function endTree(tree: ProcessTree, reach: Reach, graceMs: number): Promise<readonly number[]> {
  signalGroup(tree, "SIGTERM");
  if ((await leftAfter(tree, reach, graceMs, "SIGTERM"))?.length === 0) return [];
  if (reach === "everything") killAtOnce(tree);
  else signalGroup(tree, "SIGKILL");
  for (;;) {
    const left = await leftAfter(tree, reach, killPatienceMs, "SIGKILL");
    if (left) return left;
  }
}

/** KILL to the tree. Its process group has it when this returns, and what has left that when this is fulfilled. */
export async function killTree(tree: ProcessTree): Promise<void> {
  if (killAtOnce(tree)) return;
  for (const pid of await whenThereIsRoom(() => outsideOf(tree, "everything"))) signal(pid, "SIGKILL");
}

/** False when it has reached no more than the process group. */
function killAtOnce(tree: ProcessTree): boolean {
  if (tree.cgroup !== null && killCgroup(tree.cgroup)) return true;
  signalGroup(tree, "SIGKILL");
  return false;
}

/** Whether anything within reach runs. */
export const treeIsAlive = (tree: ProcessTree, reach: Reach): Promise<boolean> =>
  whenThereIsRoom(
    async () => (await membersOf(tree)).length > 0 || (await outsideOf(tree, reach)).length > 0,
  );

/** As long as no descriptor is left to look with, nobody can say that nothing runs. */
async function whenThereIsRoom<T>(look: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (!isWantOfRoom(error)) throw error;
      await Bun.sleep(searchMs);
    }
  }
}

/** Ends single processes, which belong to no group of ours any more; leaves it at that once nobody wants it. Returns those that are left. */
export async function endProcesses(
  find: () => Promise<readonly number[]>,
  graceMs: number,
  isUnwanted: () => boolean = () => false,
): Promise<readonly number[]> {
  const gone = async (limitMs: number, name: NodeJS.Signals) => {
    const deadline = performance.now() + limitMs;
    const asked = new Set<number>();
    for (;;) {
      const left = await whenThereIsRoom(find);
      if (isUnwanted()) return [];
      for (const pid of left) {
        if (!asked.has(pid)) signal(pid, name);
        asked.add(pid);
      }
      if (left.length === 0 || performance.now() > deadline) return left;
      await Bun.sleep(searchMs);
    }
  };
  if ((await gone(graceMs, "SIGTERM")).length === 0) return [];
  return gone(killPatienceMs, "SIGKILL");
}

/**
 * Waits until nothing is left; what is found outside of the group meanwhile is signalled too. Undefined when there was no descriptor
 * left to look with in the end.
 */
async function leftAfter(
  tree: ProcessTree,
  reach: Reach,
  limitMs: number,
  name: NodeJS.Signals,
): Promise<readonly number[] | undefined> {
  const deadline = performance.now() + limitMs;
  const asked = new Set<number>();
  for (let isFirst = true; ; isFirst = false) {
    const isLate = performance.now() >= deadline;
    try {
      const inGroup = await membersOf(tree);
      if (isFirst || inGroup.length === 0 || isLate) {
        const outside = await outsideOf(tree, reach);
        for (const pid of outside) {
          if (!asked.has(pid)) signal(pid, name);
          asked.add(pid);
        }
        const left = [...inGroup, ...outside];
        if (left.length === 0 || isLate) return left;
      }
      await Bun.sleep(inGroup.length > 0 || tree.cgroup !== null ? pollMs : searchMs);
    } catch (error) {
      if (!isWantOfRoom(error)) throw error;
      if (isLate) return undefined;
      await Bun.sleep(searchMs);
    }
  }
}

function signalGroup({ group }: ProcessTree, name: NodeJS.Signals): void {
  if (group !== null) signal(-group, name);
}

/** The living processes of the group. Zombies that nobody collects do not count. */
const membersOf = async ({ group }: ProcessTree): Promise<readonly number[]> =>
  group === null || !signal(-group, 0) ? [] : (await lookAround()).inGroup(group);

/** What has left the group. */
async function outsideOf({ group, mark, cgroup }: ProcessTree, reach: Reach): Promise<number[]> {
  if (reach === "group only") return [];
  const pids = cgroup === null ? (await lookAround()).carrying(mark) : membersOfCgroup(cgroup);
  return pids.filter((pid) => statOf(pid)?.group !== group);
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
