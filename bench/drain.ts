// drain: jobs that only print a letter, with logs and full durability, 8 at a time. What is counted is what they printed.

import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { built } from "./built.ts";
import { hasProgram } from "./peers.ts";
import { bytesIn, jobLines, newHome, printedBytes, run } from "./program.ts";
import { type Contender, inTurn, proved, type Samples } from "./rounds.ts";
import { scratch } from "./scratch.ts";
import { storedLoops } from "./stored-loops.ts";
import { type Figure, figure } from "./table.ts";

/** The shell does it itself, as it does `true`. */
const command = "echo";
/** A process of its own. */
const program = "/bin/echo";
/** Either prints a line end. */
const bytesEach = 1;

const rateOf = (jobs: number, ms: number) => jobs / (ms / 1000);

export const bench: Bench = async () => [...(await againstBareLoops()), ...(await againstOthers())];

async function againstBareLoops(): Promise<Figure[]> {
  const jobs = 5000;
  const loop = (name: string, kind: string): Contender => ({
    name,
    async run() {
      const folder = scratch("loop");
      const { ms } = await run([
        built("bench", "programs", "bare-loop.ts"),
        kind,
        String(jobs),
        folder,
        command,
      ]);
      proved(`what ${name} printed`, bytesIn(join(folder, "logs")), jobs * bytesEach);
      return rateOf(jobs, ms);
    },
  });
  const [ours, stored, bare, same] = (await inTurn(3, [
    { name: "queuectl", run: () => drained(jobs) },
    {
      name: "a bare loop of claim, start and settle",
      async run() {
        const home = newHome();
        await home.queuectl(["enqueue", "--file", "-"], { stdin: jobLines(jobs, command) });
        return rateOf(jobs, await storedLoops(home, 1, 8));
      },
    },
    loop("bare Bun.spawn of sh -c", "bare"),
    loop("the same with journal and control group", "same"),
  ])) as [Samples, Samples, Samples, Samples];
  const work = `${jobs} jobs of ${command}, 8 workers`;
  return [
    figure({ bench: "drain", work, unit: "jobs/s", ours, theirs: same, bound: { atLeast: 0.9 } }),
    figure({ bench: "drain", work, unit: "jobs/s", ours, theirs: stored, bound: { atLeast: 0.9 } }),
    figure({ bench: "drain", work, unit: "jobs/s", ours, theirs: bare }),
  ];
}

async function drained(jobs: number): Promise<number> {
  const home = newHome();
  await home.queuectl(["enqueue", "--file", "-"], { stdin: jobLines(jobs, command) });
  const { ms } = await home.queuectl(["worker", "--count", "8", "--until-empty", "--quiet"]);
  proved("completed jobs", (await home.json("status")).completed, jobs);
  proved("what queuectl's jobs printed", printedBytes(home), jobs * bytesEach);
  return rateOf(jobs, ms);
}

/** Others count from the first job handed over to the end of the last one, and so does queuectl here. */
async function againstOthers(): Promise<Figure[]> {
  const others: readonly [string, string, Other, number, string][] = [
    ["parallel", "parallel", parallel, 1000, command],
    ["parallel", "parallel", parallel, 300, program],
    ["tsp", "task-spooler", taskSpooler, 1000, command],
    ["nq", "nq", nq, 200, command],
  ];
  const figures: Figure[] = [];
  for (const [name, debianPackage, other, jobs, each] of others) {
    if (!(await hasProgram(name, debianPackage))) continue;
    const [ours, theirs] = (await inTurn(3, [
      { name: "queuectl", run: () => handedOverAndDrained(jobs, each) },
      { name: debianPackage, run: async () => rateOf(jobs, await other(jobs, each)) },
    ])) as [Samples, Samples];
    const bound = { atLeast: name === "parallel" ? 3 : 1 };
    const work = `enqueue and drain ${jobs} jobs of ${each}`;
    figures.push(figure({ bench: "drain", work, unit: "jobs/s", ours, theirs, bound }));
  }
  return figures;
}

async function handedOverAndDrained(jobs: number, command: string): Promise<number> {
  const home = newHome();
  const begun = performance.now();
  await home.queuectl(["enqueue", "--file", "-"], { stdin: jobLines(jobs, command) });
  await home.queuectl(["worker", "--count", "8", "--until-empty", "--quiet"]);
  const ms = performance.now() - begun;
  proved("what queuectl's jobs printed", printedBytes(home), jobs * bytesEach);
  return rateOf(jobs, ms);
}

/** Runs so many jobs of a command, and tells how many milliseconds that took. */
type Other = (jobs: number, command: string) => Promise<number>;

const parallel: Other = async (jobs, command) => {
  const log = join(scratch("parallel"), "joblog");
  const words = ["parallel", "--will-cite", "-j8", "--joblog", log];
  const { stdout, ms } = await run(words, { stdin: `${command}\n`.repeat(jobs) });
  proved("what parallel's jobs printed", stdout.length, jobs * bytesEach);
  return ms;
};

const taskSpooler: Other = async (jobs, command) => {
  const folder = scratch("tsp");
  const env = {
    TMPDIR: folder,
    TS_SOCKET: join(folder, "socket"),
    TS_SLOTS: "8",
    TS_MAXFINISHED: String(jobs),
  };
  const script = `i=0; while [ $i -lt ${jobs} ]; do tsp sh -c ${command} >/dev/null; i=$((i+1)); done; tsp -w`;
  const begun = performance.now();
  await run(["sh", "-c", script], { env });
  const outputs = () => bytesIn(folder);
  while (outputs() < jobs * bytesEach && performance.now() - begun < 60_000) await Bun.sleep(5);
  const ms = performance.now() - begun;
  const printed = outputs();
  await run(["tsp", "-K"], { env });
  proved("what task-spooler's jobs printed", printed, jobs * bytesEach);
  return ms;
};

const nq: Other = async (jobs, command) => {
  const folder = scratch("nq");
  const script = `i=0; while [ $i -lt ${jobs} ]; do nq -q sh -c ${command} >/dev/null; i=$((i+1)); done; nq -w`;
  const { ms } = await run(["sh", "-c", script], { env: { NQDIR: folder } });
  const outputs = [...new Bun.Glob(",*").scanSync({ cwd: folder, dot: true })];
  const texts = await Promise.all(outputs.map((name) => Bun.file(join(folder, name)).text()));
  proved("nq's jobs that ended", texts.filter((text) => /exited with status 0/.test(text)).length, jobs);
  return ms;
};
