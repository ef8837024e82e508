// Ends everything in a process group: asked by TERM first, then forced by KILL.

import { readdirSync } from "node:fs";
import { isDead, statOf } from "./process-identity.ts";

const pollMs = 20;
/** How long after KILL a process may take to vanish; one that hangs in the kernel (a dead network disk) takes longer. */
const killPatienceMs = 5_000;

/** Whether any process of the group runs. Zombies that nobody collects do not count. */
export function groupIsAlive(group: number): boolean {
  if (!signalGroup(group, 0)) return false;
  return process.platform !== "linux" || membersOf(group).length > 0;
}

/**
 * TERM to the group, KILL after `graceMs` to what is left of it. Fulfilled when nothing of it runs: with true, or with false
 * when something survived even that.
 */
export async function endGroup(group: number, graceMs: number): Promise<boolean> {
  signalGroup(group, "SIGTERM");
  if (await groupGone(group, graceMs)) return true;
  signalGroup(group, "SIGKILL");
  return groupGone(group, killPatienceMs);
}

export function killGroup(group: number): void {
  signalGroup(group, "SIGKILL");
}

/** The living processes of a group (Linux). */
export function membersOf(group: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    const stat = statOf(pid);
    return stat !== undefined && stat.group === group && !isDead(stat.state);
  });
}

async function groupGone(group: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (groupIsAlive(group)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await Bun.sleep(Math.min(pollMs, leftMs));
  }
  return true;
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
