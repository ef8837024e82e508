// Ends by force whatever still runs of the commands that wrote to a journal, when their worker is not to be waited for.

import { dirname } from "node:path";
import { membersOfCgroup } from "./cgroup.ts";
import { type JournalEntry, printsJournalingShell, readJournal } from "./journal.ts";
import { homeMark, runsOf } from "./mark.ts";
import { statOf } from "./process-identity.ts";
import { endTree, killTree, type ProcessTree } from "./process-tree.ts";

/** KILL to all commands that the journal does not say to have ended. Whether there were any. The journal lies in a folder of the home. */
export async function endJournaled(journalPath: string): Promise<boolean> {
  const home = homeMark(dirname(dirname(journalPath)));
  const trees = treesOf(home, readJournal(journalPath));
  await Promise.all(trees.map(killTree));
  await Promise.all(trees.map((tree) => endTree(tree, "everything", 0)));
  return trees.length > 0;
}

function treesOf(home: string, entries: ReadonlyMap<string, JournalEntry>): ProcessTree[] {
  const alive = runsOf(home);
  // Control groups are used again: only the last run that was in one is meant by it.
  const lastIn = new Map<string, string>();
  for (const [run, { cgroup }] of entries) if (cgroup !== undefined) lastIn.set(cgroup, run);
  const trees: ProcessTree[] = [];
  for (const [run, { pid, status, cgroup }] of entries) {
    if (status !== undefined) continue;
    const own = cgroup !== undefined && lastIn.get(cgroup) === run ? cgroup : null;
    const pids = alive.get(run) ?? [];
    // A number that was a group of ours still is one when something marked is in it.
    const group = pid !== undefined && isGroup(pid, run, pids) ? pid : null;
    if (group === null && pids.length === 0 && (own === null || membersOfCgroup(own).length === 0)) continue;
    trees.push({ group, mark: { home, run }, cgroup: own });
  }
  return trees;
}

function isGroup(pid: number, run: string, carriers: readonly number[]): boolean {
  if (process.platform === "linux") return carriers.some((carrier) => statOf(carrier)?.group === pid);
  const { stdout } = Bun.spawnSync(["ps", "-ww", "-o", "command=", "-p", String(pid)]);
  return printsJournalingShell(stdout.toString(), run);
}
