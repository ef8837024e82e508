// cycle: jobs that do nothing, claimed and settled 32 at a time inside one process, with full durability, against libraries that
// do nothing with jobs on disk. As they come, plainjob and bunqueue run SQLite with `synchronous = normal`, which may lose the last
// jobs in a power cut; plainjob is also measured with the same durability as queuectl.

import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { npmPeer } from "./peers.ts";
import { run } from "./program.ts";
import { type Contender, inTurn, proved } from "./rounds.ts";
import { scratch } from "./scratch.ts";
import { type Figure, figure } from "./table.ts";

const rounds = 3;

export const bench: Bench = async () => {
  const contenders: Contender[] = [
    cycling("queuectl", "cycle-queuectl.ts", 40_000),
    cycling("the same in one file", "bare-cycle.ts", 40_000),
  ];
  const plainjob = await npmPeer("plainjob/dist/plainjob.js");
  const bunqueue = await npmPeer("bunqueue/dist/client/index.js");
  if (plainjob) {
    contenders.push(cycling("plainjob", "cycle-plainjob.ts", 5_000, plainjob));
    contenders.push(cycling("plainjob, synchronous = full", "cycle-plainjob.ts", 5_000, plainjob, "full"));
  }
  if (bunqueue) contenders.push(cycling("bunqueue", "cycle-bunqueue.ts", 5_000, bunqueue));
  const [ours, floor, ...others] = await inTurn(rounds, contenders);
  const common = { bench: "cycle", unit: "jobs/s", ours: ours! };
  const figures: Figure[] = [
    figure({ ...common, work: "claim and settle, 32 at a time", bound: { atLeast: 20_000, own: true } }),
  ];
  figures.push(figure({ ...common, work: "claim and settle", theirs: floor!, bound: { atLeast: 0.91 } }));
  for (const theirs of others)
    figures.push(figure({ ...common, work: "no-op job", theirs, bound: { atLeast: 3 } }));
  return figures;
};

/** A program that prints how many jobs it saw to their end, and how many milliseconds they took. */
const cycling = (name: string, program: string, jobs: number, library = "", sync = ""): Contender => ({
  name,
  async run() {
    const path = join(import.meta.dir, "programs", program);
    const { stdout } = await run([process.execPath, path, scratch("cycle"), String(jobs), library, sync]);
    const { done, ms } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    proved(`${name}'s jobs that are done`, done, jobs);
    return jobs / (ms / 1000);
  },
});
