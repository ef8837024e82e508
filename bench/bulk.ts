// bulk: 100,000 jobs as JSON Lines through `enqueue --file -`, against the same rows put into the same table and indexes by
// nothing but bun:sqlite, in one transaction; and what a longer file does to memory.

import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { jobLines, newHome, run } from "./program.ts";
import { inTurn, proved, type Samples } from "./rounds.ts";
import { scratch } from "./scratch.ts";
import { figure } from "./table.ts";

const jobs = 100_000;
const rounds = 3;

export const bench: Bench = async () => {
  const peaks = { few: [] as number[], many: [] as number[] };
  const [ours, bare] = (await inTurn(rounds, [
    {
      name: "queuectl",
      async run() {
        const { ms, peak } = await enqueued(jobs);
        peaks.few.push(peak);
        return jobs / (ms / 1000);
      },
    },
    { name: "bare bun:sqlite", run: inserted },
  ])) as [Samples, Samples];
  for (let round = 0; round < rounds; round++) peaks.many.push((await enqueued(4 * jobs)).peak);
  const megabytes = (name: string, bytes: readonly number[]) => ({
    name,
    values: bytes.map((each) => each / 1024 ** 2),
  });
  return [
    figure({
      bench: "bulk",
      work: `${jobs} JSON lines`,
      unit: "jobs/s",
      ours,
      theirs: bare,
      bound: { atLeast: 0.5 },
    }),
    figure({
      bench: "bulk",
      work: "peak memory of four times as many",
      unit: "MB",
      ours: megabytes("four times as many", peaks.many),
      theirs: megabytes(`${jobs}`, peaks.few),
      bound: { atMost: 1.3 },
    }),
  ];
};

async function enqueued(count: number) {
  const home = newHome();
  const ran = await home.queuectl(["enqueue", "--file", "-"], { stdin: jobLines(count, "true") });
  proved("ids printed", ran.stdout.split("\n").length - 1, count);
  proved("jobs that wait", (await home.json("status")).pending, count);
  return ran;
}

async function inserted(): Promise<number> {
  const path = join(scratch("bare"), "queue.db");
  const { stdout, ms } = await run([process.execPath, bareInsert, path, String(jobs)]);
  proved("rows inserted", Number(stdout), jobs);
  return jobs / (ms / 1000);
}

const bareInsert = join(import.meta.dir, "programs", "bare-insert.ts");
