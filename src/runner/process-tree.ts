// Ends everything an attempt started: its process group, and whatever left the group but still carries the attempt's mark.
// Asked by TERM first, then forced by KILL; done only when nothing of it runs any more.

import { readdirSync } from "node:fs";
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
  /** Null to leave alone what has left the group. */
  readonly mark: Mark | null;
}

/**
 * TERM to the tree, KILL after `graceMs` to what is left. Fulfilled when nothing of it runs, with the pids of what survived
 * even that (none, as a rule).
 */
export async function endTree(tree: ProcessTree, graceMs: number): Promise<readonly number[]> {
  signalTree(tree, "SIGTERM");
  if ((await leftAfter(tree, graceMs, "SIGTERM")).length === 0) return [];
  signalTree(tree, "SIGKILL");
  return leftAfter(tree, killPatienceMs, "SIGKILL");
}

export const killTree = (tree: ProcessTree) => signalTree(tree, "SIGKILL");

/** Whether any process of the group runs. Zombies that nobody collects do not count. */
export function groupIsAlive(group: number): boolean {
  if (!signal(-group, 0)) return false;
  return process.platform !== "linux" || membersOf(group).length > 0;
}

/** Ends single processes, which belong to no group of ours any more. */
export async function endProcesses(
  find: () => readonly number[],
  graceMs: number,
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
    }
  };
  if ((await gone(graceMs, "SIGTERM")).length === 0) return [];
  return gone(killPatienceMs, "SIGKILL");
}

/** Waits until nothing is left; what shows up outside of the group meanwhile is signalled too. */
async function leftAfter(
  { group, mark }: ProcessTree,
  limitMs: number,
  name: NodeJS.Signals,
): Promise<readonly number[]> {
  const deadline = performance.now() + limitMs;
  const asked = new Set<number>();
  for (;;) {
    const isLate = performance.now() >= deadline;
    const inGroup = group !== null && groupIsAlive(group);
    if (!inGroup || isLate) {
      const outside = outsideOf({ group, mark });
      for (const pid of outside) {
        if (!asked.has(pid)) signal(pid, name);
        asked.add(pid);
      }
      const left = inGroup ? [...membersOf(group), ...outside] : outside;
      if (left.length === 0 || isLate) return left;
    }
    await Bun.sleep(inGroup ? pollMs : searchMs);
  }
}

function signalTree({ group, mark }: ProcessTree, name: NodeJS.Signals): void {
  const outside = outsideOf({ group, mark });
  if (group !== null) signal(-group, name);
  for (const pid of outside) signal(pid, name);
}

/** What has left the group and still carries the mark. */
const outsideOf = ({ group, mark }: ProcessTree) =>
  mark === null ? [] : carriersOf(mark).filter((pid) => statOf(pid)?.group !== group);

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
