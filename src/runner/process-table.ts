// All processes of this machine at a moment. To look at them takes as long as there are many, so those who ask at the same time share
// one look: a worker process may have to end hundreds of commands at once.

import { type Mark, runsOf } from "./mark.ts";
import { allPids, isDead, statOf } from "./process-identity.ts";

export interface ProcessTable {
  /** The living processes of a group (Linux; elsewhere the group's first, as far as anybody knows). */
  inGroup(group: number): readonly number[];
  /** Those that carry a mark (Linux; elsewhere none). */
  carrying(mark: Mark): readonly number[];
}

let coming: Promise<ProcessTable> | undefined;
let lookedAt = 0;
let tookMs = 0;

/** What is true at some moment after this was asked for. Looks take up no more than half of the time, however many ask. */
export function lookAround(): Promise<ProcessTable> {
  coming ??= Bun.sleep(Math.max(0, lookedAt + tookMs - performance.now())).then(() => {
    coming = undefined;
    tookMs = 0;
    return timed(process.platform === "linux" ? linuxTable : otherTable);
  });
  return coming;
}

function timed<T>(look: () => T): T {
  const before = performance.now();
  try {
    return look();
  } finally {
    lookedAt = performance.now();
    tookMs += lookedAt - before;
  }
}

function linuxTable(): ProcessTable {
  const groups = new Map<number, number[]>();
  for (const pid of allPids()) {
    const stat = statOf(pid);
    if (stat === undefined || isDead(stat.state)) continue;
    const members = groups.get(stat.group);
    if (members) members.push(pid);
    else groups.set(stat.group, [pid]);
  }
  // Reading every environment is dearer, and not always wanted.
  const runs = new Map<string, ReadonlyMap<string, readonly number[]>>();
  return {
    inGroup: (group) => groups.get(group) ?? [],
    carrying({ home, run }) {
      if (!runs.has(home))
        runs.set(
          home,
          timed(() => runsOf(home)),
        );
      return runs.get(home)!.get(run) ?? [];
    },
  };
}

const otherTable = (): ProcessTable => ({ inGroup: (group) => [group], carrying: () => [] });
