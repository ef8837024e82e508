// start: from a job that is stored to its command that runs, with an idle worker in another process; and what that worker costs
// while it has nothing to do. A command tells that it runs by a byte in a named pipe.

import { constants, readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "../src/store/open.ts";
import type { Bench } from "./bench.ts";
import { plainJob } from "./example.ts";
import { hasProgram } from "./peers.ts";
import { type Home, newHome, run } from "./program.ts";
import { type Contender, inTurn, proved, quantile, type Samples } from "./rounds.ts";
import { scratch } from "./scratch.ts";
import { type Figure, figure, ownFigure } from "./table.ts";

const rounds = 500;
const roundsOfProcesses = 60;
const idleSeconds = 20;
/** What hundreds of jobs left in memory is cleared away in the first seconds after them, which is no idling. */
const calmSeconds = 10;

export const bench: Bench = async () => {
  const home = newHome();
  await home.queuectl(["worker", "--detach"]);
  try {
    const byStore = await stored(home);
    const [ours, theirs] = await called(home);
    const byProgram = figure({
      bench: "start",
      work: "called → command runs",
      unit: "ms",
      ours,
      ...(theirs && { theirs }),
    });
    const ofIdle = await idle(home);
    proved("completed jobs", (await home.json("status")).completed, rounds + ours.values.length);
    return [...byStore, byProgram, ofIdle];
  } finally {
    await home.queuectl(["worker", "stop", "--wait"]);
  }
};

/** From the moment that the job is committed. */
async function stored(home: Home): Promise<Figure[]> {
  await using store = await openStore({ home: home.path });
  await using pipe = await namedPipe();
  const delays: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await Bun.sleep(Math.random() * 10);
    await store.jobs.enqueue({ ...plainJob, command: pipe.command });
    const committed = performance.now();
    await pipe.told();
    delays.push(performance.now() - committed);
  }
  const work = "committed → command runs";
  return [
    ownFigure("start", `${work}, p50`, "ms", quantile(delays, 0.5), { atMost: 5 }),
    ownFigure("start", `${work}, p99`, "ms", quantile(delays, 0.99), { atMost: 20 }),
  ];
}

/** From the moment that somebody calls the program, as task-spooler can only be measured. */
async function called(home: Home): Promise<readonly [Samples, Samples?]> {
  await using pipe = await namedPipe();
  const calling = (name: string, call: () => Promise<unknown>): Contender => ({
    name,
    async run() {
      await Bun.sleep(Math.random() * 10);
      const begun = performance.now();
      const called = call();
      await pipe.told();
      const ms = performance.now() - begun;
      await called;
      return ms;
    },
  });
  const contenders = [calling("queuectl", () => home.queuectl(["enqueue", pipe.command]))];
  const folder = scratch("tsp");
  const env = { TMPDIR: folder, TS_SOCKET: join(folder, "socket") };
  const spooler = await hasProgram("tsp", "task-spooler");
  if (spooler)
    contenders.push(calling("task-spooler", () => run(["tsp", "sh", "-c", pipe.command], { env })));
  const [ours, theirs] = await inTurn(roundsOfProcesses, contenders);
  if (spooler) await run(["tsp", "-K"], { env });
  return theirs ? [ours!, theirs] : [ours!];
}

/** Part of a core, in per cent, while nothing else is written to its home. */
async function idle(home: Home): Promise<Figure> {
  const [worker] = await home.json("worker", "list");
  await Bun.sleep(calmSeconds * 1000);
  const before = ticksOf(worker.pid);
  await Bun.sleep(idleSeconds * 1000);
  const ticks = ticksOf(worker.pid) - before;
  return ownFigure("start", "idle worker, part of a core", "%", ticks / idleSeconds, { atMost: 0.5 });
}

/** Processor time in hundredths of a second: proc_pid_stat(5), fields 14 and 15. */
function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

interface NamedPipe extends AsyncDisposable {
  /** Says that it runs. */
  readonly command: string;
  /** Waits for its word. */
  told(): Promise<unknown>;
}

async function namedPipe(): Promise<NamedPipe> {
  const path = join(scratch("pipe"), "pipe");
  await run(["mkfifo", path]);
  // Open for writing too, so that it does not end with each command.
  const file = await open(path, constants.O_RDWR);
  const byte = new Uint8Array(1);
  return {
    command: `printf 1 >${path}`,
    told: () => file.read(byte, 0, 1),
    [Symbol.asyncDispose]: () => file.close(),
  };
}
