// contend: 8 worker processes on one database, against one process with 8 workers, and against 8 processes that do nothing but what
// must be done. All are there before the first job is. None may ever say that the database is locked.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../src/store/open.ts";
import type { Store } from "../src/store/store.ts";
import type { Bench } from "./bench.ts";
import { plainJob } from "./example.ts";
import { type Home, newHome, printedBytes, startWorkers } from "./program.ts";
import { inTurn, proved, type Samples } from "./rounds.ts";
import { storedLoops } from "./stored-loops.ts";
import { figure } from "./table.ts";

const jobs = 2000;
const processes = 8;
const lookMs = 25;

export const bench: Bench = async () => {
  const [ours, workers, floor] = (await inTurn(3, [
    { name: `${processes} processes`, run: () => drained(processes, 1) },
    { name: `1 process with ${processes} workers`, run: () => drained(1, processes) },
    {
      name: `${processes} bare loops of claim, start and settle`,
      async run() {
        const home = await filled();
        return jobs / ((await storedLoops(home, processes, 1)) / 1000);
      },
    },
  ])) as [Samples, Samples, Samples];
  const compared = {
    bench: "contend",
    work: `${jobs} jobs, ${processes} worker processes`,
    unit: "jobs/s",
    ours,
  };
  return [
    figure({ ...compared, theirs: workers, bound: { atLeast: 0.9 } }),
    figure({ ...compared, theirs: floor, bound: { atLeast: 0.9 } }),
  ];
};

async function drained(processes: number, count: number): Promise<number> {
  const home = newHome();
  await using workers = await startWorkers(home, processes, count);
  await using store = await openStore({ home: home.path });
  await enqueue(store);
  const begun = performance.now();
  while ((await store.stats.read()).completed < jobs) await Bun.sleep(lookMs);
  const ms = performance.now() - begun;
  await workers.stop();
  proved("what the jobs printed", printedBytes(home), jobs);
  const said = [...workers.said(), ...workerLogs(home)];
  proved("times that the database was locked", said.filter((text) => text.includes("locked")).length, 0);
  return jobs / (ms / 1000);
}

async function filled(): Promise<Home> {
  const home = newHome();
  await home.queuectl(["status"]);
  await using store = await openStore({ home: home.path });
  await enqueue(store);
  return home;
}

const enqueue = (store: Store) =>
  store.jobs.enqueueAll(
    (async function* () {
      for (let job = 0; job < jobs; job++) yield { ...plainJob, command: "echo" };
    })(),
  );

function workerLogs({ path }: Home): string[] {
  const folder = join(path, "logs", "workers");
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
}
