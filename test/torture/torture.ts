// Kills workers without end while thousands of jobs run, and then audits that nothing was lost, doubled or left behind.
//
//   bun run torture --jobs 10000 --kills 200 --minutes 5
//
// Prints its figures and exits with 1 on any breach. --break-the-fence writes results without the right to them, and shows that
// the audit sees it.

import { Database } from "bun:sqlite";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { program } from "../support/program.ts";
import { audit, type Figures } from "./audit.ts";
import { foundInSqlite } from "./found.ts";
import { jobsOf, mulberry32, report } from "./work.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "10000" },
    kills: { type: "string", default: "200" },
    minutes: { type: "string", default: "5" },
    processes: { type: "string", default: "4" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    "break-the-fence": { type: "boolean", default: false },
  },
});
const jobCount = Number(values.jobs);
const killCount = Number(values.kills);
const limitMs = Number(values.minutes) * 60_000;
const processCount = Number(values.processes);

const random = mulberry32(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), "queuectl-torture-"));
const home = join(folder, "home");
const env = { ...process.env, QUEUECTL_HOME: home } as Record<string, string>;

type Worker = ReturnType<typeof startWorker>;

const startedAt = performance.now();
await enqueueAll();
const figures = await torture();
const breaches = audit({ folder, homes: [home], jobs: jobCount, found: foundInSqlite(home), figures });
report({ jobs: jobCount, seed: values.seed, ...figures }, breaches, folder);
if (breaches.length === 0) rmSync(folder, { recursive: true });
process.exitCode = breaches.length === 0 ? 0 : 1;

async function enqueueAll(): Promise<void> {
  await call(["config", "set", "backoff_base", "0.5"]);
  await call(["config", "set", "kill_grace", "1"]);
  await call(["enqueue", "--file", "-"], jobsOf(folder, jobCount, random));
}

async function torture(): Promise<Figures> {
  const workers: Worker[] = Array.from({ length: processCount }, () => startWorker());
  const done = { killed: 0, stopped: 0, left: 0, shells: 0 };
  const pauseMs = (limitMs * 0.7) / Math.max(1, killCount);
  const meddling = values["break-the-fence"] ? setInterval(settleWithoutLease, 300) : undefined;
  while (done.killed < killCount && performance.now() - startedAt < limitMs) {
    await Bun.sleep(pauseMs * (0.5 + random()));
    await harm(workers[Math.floor(random() * workers.length)]!, done);
    for (const [at, worker] of workers.entries())
      if (worker.exitCode !== null || worker.signalCode) workers[at] = startWorker();
  }
  clearInterval(meddling);
  for (const worker of workers) worker.kill("SIGTERM");
  await Promise.all(workers.map((worker) => worker.exited));
  await drain();
  return { ...done, seconds: (performance.now() - startedAt) / 1000 };
}

/** Lets the rest be done in peace; what is not done after the limit once more is for the audit to find. */
async function drain(): Promise<void> {
  const workers = Array.from({ length: processCount }, () => startWorker("--until-empty"));
  const kill = () => {
    for (const worker of workers) worker.kill("SIGKILL");
  };
  const timer = setTimeout(kill, Math.max(limitMs, 20_000));
  await Promise.all(workers.map((worker) => worker.exited));
  clearTimeout(timer);
}

/** Mostly KILL; sometimes a stop of each other kind, and sometimes the shell of a command is killed as well. */
async function harm(worker: Worker, done: { killed: number; stopped: number; left: number; shells: number }) {
  const dice = random();
  if (dice < 0.1) {
    worker.kill("SIGTERM");
    await Bun.sleep(50);
    worker.kill("SIGTERM");
    done.stopped++;
  } else if (dice < 0.2) {
    // One that has not entered yet is not asked.
    while (worker.exitCode === null && !worker.signalCode) {
      await call(["worker", "stop", "--leave-running", "--wait"]);
      await Promise.race([worker.exited, Bun.sleep(200)]);
    }
    done.left++;
  } else {
    if (dice < 0.4) done.shells += killShells(worker.pid);
    worker.kill("SIGKILL");
    done.killed++;
  }
  await worker.exited;
}

/** As when the kernel ends a whole container: the worker's commands die with it and leave no word. */
function killShells(worker: number): number {
  try {
    const children = readFileSync(`/proc/${worker}/task/${worker}/children`, "utf8")
      .split(" ")
      .filter(Boolean);
    for (const pid of children) process.kill(-Number(pid), "SIGKILL");
    return children.length;
  } catch {
    // The worker, or a command of it, has just ended.
    return 0;
  }
}

/** What a queue without a fence lets happen: a worker that lost its job long ago writes its result all the same. */
function settleWithoutLease(): void {
  using db = new Database(join(home, "queue.db"));
  db.run("pragma busy_timeout = 5000");
  db.run(`
    begin immediate;
    update jobs set state = 'completed', worker_id = null where state = 'processing' and seq % 3 = 0;
    delete from counts;
    insert into counts (queue, state, jobs, ms) select queue, state, count(*), 0 from jobs group by queue, state;
    commit;
  `);
}

function startWorker(...words: string[]) {
  return Bun.spawn([...program, "worker", "--quiet", "--count", "8", ...words], {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

async function call(words: string[], stdin?: string): Promise<void> {
  const child = Bun.spawn([...program, ...words], {
    cwd: folder,
    env,
    stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
    stdout: "ignore",
    stderr: "pipe",
  });
  const stderr = await child.stderr.text();
  if ((await child.exited) !== 0) throw new Error(`queuectl ${words.join(" ")}: ${stderr}`);
}
