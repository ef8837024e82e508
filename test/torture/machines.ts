// Three machines drain one PostgreSQL queue while one of them is killed, one is cut off for longer than its lease, and the server is
// killed and started twice; then audits that nothing was lost, doubled or left behind.
//
//   bun run torture:machines --jobs 20000
//
// A machine is a host name, a home folder and a network of its own; the network is a proxy that can be torn.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { onHost } from "../support/machine.ts";
import { startPostgres } from "../support/own-postgres.ts";
import { serverAt } from "../support/postgres-server.ts";
import { program } from "../support/program.ts";
import { type TcpProxy, tcpProxy } from "../support/tcp-proxy.ts";
import { audit, type Figures } from "./audit.ts";
import { foundInPostgres } from "./found.ts";
import { jobsOf, mulberry32, report } from "./work.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "20000" },
    /** Seconds that a machine is cut off; the lease is 30. */
    cut: { type: "string", default: "45" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
  },
});
const jobCount = Number(values.jobs);
const random = mulberry32(Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), "queuectl-machines-"));

await using server = await startPostgres();
await using database = await serverAt(server.url).newDatabase();
const proxies = [await tcpProxy(database.url), await tcpProxy(database.url), await tcpProxy(database.url)];
const machines = proxies.map((proxy, index) => makeMachine(`machine-${index}`, proxy));

const startedAt = performance.now();
await call(["config", "set", "backoff_base", "0.5"]);
await call(["config", "set", "kill_grace", "1"]);
await call(["enqueue", "--file", "-"], jobsOf(folder, jobCount, random));
const figures = await torture();
const homes = machines.map(({ home }) => home);
const found = await foundInPostgres(database.url);
const breaches = audit({ folder, homes, jobs: jobCount, found, figures });
report({ jobs: jobCount, seed: values.seed, ...figures }, breaches, folder);
for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
if (breaches.length === 0) rmSync(folder, { recursive: true });
process.exitCode = breaches.length === 0 ? 0 : 1;

interface Machine {
  readonly home: string;
  readonly proxy: TcpProxy;
  /** Starts its worker process, again whenever it has ended, until `stop`. */
  start(...words: string[]): void;
  /** KILL to the worker process alone. */
  killWorker(): void;
  /** KILL to everything that runs on it, as when its power fails; it comes up again. */
  powerFailure(): void;
  /** Lets the worker finish what it runs, and starts it no more. */
  stop(): Promise<void>;
}

function makeMachine(name: string, proxy: TcpProxy): Machine {
  const home = join(folder, name);
  const env = { ...process.env, QUEUECTL_HOME: home, QUEUECTL_DATABASE_URL: proxy.url };
  let worker: Bun.Subprocess | undefined;
  let wanted = false;
  const start = (...words: string[]) => {
    wanted = true;
    worker = Bun.spawn(
      [...onHost(name, ...program), "worker", "start", "--quiet", "--count", "8", ...words],
      {
        cwd: folder,
        env,
        stdio: ["ignore", "ignore", "inherit"],
        onExit: () => {
          if (wanted) setTimeout(() => wanted && start(...words), 200);
        },
      },
    );
  };
  return {
    home,
    proxy,
    start,
    killWorker: () => worker?.kill("SIGKILL"),
    powerFailure() {
      for (const pid of processesOf(home)) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has just ended.
        }
      }
    },
    async stop() {
      wanted = false;
      worker?.kill("SIGTERM");
      await worker?.exited;
    },
  };
}

/** All living processes that carry a home in their environment. */
function processesOf(home: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`QUEUECTL_HOME=${home}\0`);
      } catch {
        return false;
      }
    });
}

async function torture(): Promise<Figures> {
  const [killed, cut, other] = machines as [Machine, Machine, Machine];
  for (const machine of machines) machine.start();
  await Bun.sleep(5_000);
  say("a worker is killed");
  killed.killWorker();
  await Bun.sleep(3_000);
  say("a machine is cut off");
  await cut.proxy.swallow();
  await Bun.sleep(5_000);
  say("the server is killed and started");
  await server.restart("kill");
  await Bun.sleep(5_000);
  say("a machine's power fails");
  killed.powerFailure();
  await Bun.sleep(Number(values.cut) * 1_000 - 10_000);
  say("the cut-off machine is back");
  await cut.proxy.pass();
  await Bun.sleep(5_000);
  say("the server is stopped and started");
  await server.restart("immediate");
  await Bun.sleep(5_000);
  say("one more worker is killed");
  other.killWorker();
  await drained();
  for (const machine of machines) await machine.stop();
  await guardiansGone();
  return { killed: 3, stopped: 0, left: 0, shells: 0, seconds: (performance.now() - startedAt) / 1000 };
}

/** The guardian of a worker that was killed lives until its moment, within the lease of 30 seconds. */
async function guardiansGone(): Promise<void> {
  const deadline = performance.now() + 45_000;
  while (machines.some(({ home }) => processesOf(home).length > 0) && performance.now() < deadline)
    await Bun.sleep(500);
}

/** A job whose machine is gone waits for the end of the lease, and the rest for its turn, however slow they all are. */
async function drained(): Promise<void> {
  const stillMs = 3 * 60_000;
  let left = jobCount;
  for (let deadline = performance.now() + stillMs; performance.now() < deadline; ) {
    const { pending, processing, failed } = JSON.parse(await call(["status", "--json"]));
    const now = pending + processing + failed;
    if (now === 0) return;
    if (now !== left) deadline = performance.now() + stillMs;
    left = now;
    await Bun.sleep(1_000);
  }
}

function say(text: string): void {
  console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${text}`);
}

async function call(words: string[], stdin?: string): Promise<string> {
  const child = Bun.spawn([...program, ...words], {
    cwd: folder,
    env: { ...process.env, QUEUECTL_HOME: join(folder, "here"), QUEUECTL_DATABASE_URL: database.url },
    stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`queuectl ${words.join(" ")}: ${stderr}`);
  return stdout;
}
