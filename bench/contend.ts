// contend: 8 worker processes on one database, against one process with 8 workers; none may ever say that the database is locked.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { type Home, jobLines, newHome, printedBytes } from "./program.ts";
import { inTurn, proved, type Samples } from "./rounds.ts";
import { figure } from "./table.ts";

const jobs = 2000;

export const bench: Bench = async () => {
  const [processes, workers] = (await inTurn(3, [
    { name: "8 processes", run: () => drained(8, 1) },
    { name: "1 process with 8 workers", run: () => drained(1, 8) },
  ])) as [Samples, Samples];
  const work = `${jobs} jobs, 8 worker processes`;
  return [
    figure({
      bench: "contend",
      work,
      unit: "jobs/s",
      ours: processes,
      theirs: workers,
      bound: { atLeast: 0.9 },
    }),
  ];
};

async function drained(processes: number, count: number): Promise<number> {
  const home = newHome();
  await home.queuectl(["enqueue", "--file", "-"], { stdin: jobLines(jobs, "echo") });
  const worker = ["worker", `--count=${count}`, "--until-empty"];
  const begun = performance.now();
  const ran = await Promise.all(Array.from({ length: processes }, () => home.queuectl(worker)));
  const ms = performance.now() - begun;
  proved("what the jobs printed", printedBytes(home), jobs);
  const said = [...ran.map(({ stderr }) => stderr), ...workerLogs(home)];
  proved("times that the database was locked", said.filter((text) => text.includes("locked")).length, 0);
  return jobs / (ms / 1000);
}

function workerLogs({ path }: Home): string[] {
  const folder = join(path, "logs", "workers");
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
}
