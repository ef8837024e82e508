// Ends everything an attempt started: its process group, and whatever left the group but is still in its control group or,
// where there is none, carries its mark. Asked by TERM first, then forced by KILL; done only when nothing of it runs any more.

import { readdirSync } from "node:fs";
import { killCgroup, membersOfCgroup } from "./cgroup.ts";
import { carriersOf, type Mark } from "./mark.ts";
import { isDead, statOf } from "./process-identity.ts";

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
  signalTree(tree, reach, "SIGTERM");
  if ((await leftAfter(tree, reach, graceMs, "SIGTERM")).length === 0) return [];
  if (reach === "everything") killTree(tree);
  else signalTree(tree, reach, "SIGKILL");
  return leftAfter(tree, reach, killPatienceMs, "SIGKILL");
}

export function killTree(tree: ProcessTree): void {
  if (tree.cgroup === null || !killCgroup(tree.cgroup)) signalTree(tree, "everything", "SIGKILL");
}

/** Whether anything within reach runs. */
export function treeIsAlive(tree: ProcessTree, reach: Reach): boolean {
  return (tree.group !== null && groupIsAlive(tree.group)) || outsideOf(tree, reach).length > 0;
}

/** Whether any process of the group runs. Zombies that nobody collects do not count. */
function groupIsAlive(group: number): boolean {
  if (!signal(-group, 0)) return false;
  return process.platform !== "linux" || membersOf(group).length > 0;
}

/** Ends single processes, which belong to no group of ours any more; leaves it at that once nobody wants it. Returns those that are left. */
export async function endProcesses(
  find: () => readonly number[],
  graceMs: number,
  isUnwanted: () => boolean = () => false,
): Promise<readonly number[]> {
  const gone = async (limitMs: number, name: NodeJS.Signals) => {
    const deadline = performance.now() + limitMs;
    const asked = new Set<number>();
    for (;;) {
      const left = find();
      for (const pid of left) {
        if (!asked.has(pid)) signal(pid, name);
        asked.add(pid);
      }
      if (left.length === 0 || performance.now() > deadline) return left;
      await Bun.sleep(searchMs);
      if (isUnwanted()) return [];
    }
  };
  if ((await gone(graceMs, "SIGTERM")).length === 0) return [];
  return gone(killPatienceMs, "SIGKILL");
}

/** Waits until nothing is left; what shows up outside of the group meanwhile is signalled too. */
async function leftAfter(
  tree: ProcessTree,
  reach: Reach,
  limitMs: number,
  name: NodeJS.Signals,
): Promise<readonly number[]> {
  const deadline = performance.now() + limitMs;
  const asked = new Set<number>();
  for (;;) {
    const isLate = performance.now() >= deadline;
    const inGroup = tree.group !== null && groupIsAlive(tree.group);
    if (!inGroup || isLate) {
      const outside = outsideOf(tree, reach);
      for (const pid of outside) {
        if (!asked.has(pid)) signal(pid, name);
        asked.add(pid);
      }
      const left = inGroup ? [...membersOf(tree.group), ...outside] : outside;
      if (left.length === 0 || isLate) return left;
    }
    await Bun.sleep(inGroup || tree.cgroup !== null ? pollMs : searchMs);
  }
}

function signalTree(tree: ProcessTree, reach: Reach, name: NodeJS.Signals): void {
  const outside = outsideOf(tree, reach);
  if (tree.group !== null) signal(-tree.group, name);
  for (const pid of outside) signal(pid, name);
}

/** What has left the group. */
function outsideOf({ group, mark, cgroup }: ProcessTree, reach: Reach): number[] {
  if (reach === "group only") return [];
  const pids = cgroup === null ? carriersOf(mark) : membersOfCgroup(cgroup);
  return pids.filter((pid) => statOf(pid)?.group !== group);
}

/** The living processes of a group (Linux; elsewhere the group's first, as far as anybody knows). */
function membersOf(group: number): number[] {
  if (process.platform !== "linux") return [group];
  const pids = readdirSync("/proc").filter((entry) => entry >= "0" && entry <= "9~");
  return pids.map(Number).filter((pid) => {
    const stat = statOf(pid);
    return stat !== undefined && stat.group === group && !isDead(stat.state);
  });
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
