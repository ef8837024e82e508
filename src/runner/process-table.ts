// All processes of this machine at a moment. To look at them takes as long as there are many, so those who ask at the same time share
// one look: a worker process may have to end hundreds of commands at once.

import { earlierIn, type FindEarlier, type Mark, runsOf } from "./mark.ts";
import { allPids, isDead, statOf } from "./process-identity.ts";

export interface ProcessTable {
  /** The living processes of a group (Linux; elsewhere the group's first, as far as anybody knows). */
  inGroup(group: number): readonly number[];
  /** Those that carry a mark (Linux; elsewhere none). */
  carrying(mark: Mark): readonly number[];
  readonly earlierThan: FindEarlier;
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
  const groups = Map.groupBy(allPids(), (pid) => {
    const stat = statOf(pid);
    return stat === undefined || isDead(stat.state) ? undefined : stat.group;
  });
  // Reading every environment is dearer, and not always wanted.
  const known = new Map<string, ReadonlyMap<string, readonly number[]>>();
  function runsIn(home: string): ReadonlyMap<string, readonly number[]> {
    const runs = known.get(home) ?? timed(() => runsOf(home));
    known.set(home, runs);
    return runs;
  }
  return {
    inGroup: (group) => groups.get(group) ?? [],
    carrying: ({ home, run }) => runsIn(home).get(run) ?? [],
    earlierThan: (mark) => earlierIn(runsIn(mark.home), mark),
  };
}

const otherTable = (): ProcessTable => ({
  inGroup: (group) => [group],
  carrying: () => [],
  earlierThan: () => [],
});
