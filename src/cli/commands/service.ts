// queuectl service: a worker that the machine starts, and keeps running.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Refusal } from "../../domain/errors.ts";
import { checkQueue } from "../../domain/job.ts";
import { fileMode } from "../../home.ts";
import { withoutMark } from "../../runner/mark.ts";
import { type Environment, selfCommand } from "../../self.ts";
import type { Store } from "../../store/store.ts";
import { isLiving, processStates, workersOf } from "../../worker/liveness.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { jsonFlag, note, printFacts, printJson, printLine, writeOut } from "../output.ts";
import { launchd } from "../service/launchd.ts";
import type { ServiceManager, ServicePlan } from "../service/manager.ts";
import { systemd } from "../service/systemd.ts";
import { countFlag, servedFlag, workerCount } from "../worker-options.ts";

export const commands: Commands = {
  "service install": {
    examples: ["queuectl service install --count 4", "queuectl service install --queue gpu --print"],
    flags: [countFlag, servedFlag, ["--print", "Print the file that it would write, and do nothing"]],
    run: serviceInstall,
  },
  "service uninstall": { run: serviceUninstall },
  "service status": { flags: [jsonFlag], run: serviceStatus },
};

interface InstallOptions {
  readonly count?: string;
  readonly queue?: readonly string[];
  readonly print?: boolean;
}

const patienceMs = 10_000;

async function serviceInstall(
  context: Context,
  _words: readonly string[],
  { count, queue = [], print }: InstallOptions,
): Promise<number> {
  queue.forEach(checkQueue);
  const words = [`--count=${workerCount(count)}`, ...queue.map((name) => `--queue=${name}`)];
  const plan = planOf(context, ["worker", "start", ...words]);
  const manager = managerOf(context);
  if (print) {
    await writeOut(manager.file(plan));
    return done;
  }
  refuseCache(plan.command);
  manager.check();
  await using store = await context.openStore();
  writeSafely(manager.path, manager.file(plan));
  manager.start();
  const ids = await untilWorking(store, manager);
  await printLine(manager.path);
  note(`${ids.length === 1 ? "a worker runs" : `${ids.length} workers run`} as a service: ${ids.join(", ")}`);
  for (const line of manager.advice()) note(line);
  return done;
}

async function serviceUninstall(context: Context): Promise<number> {
  const manager = installed(context);
  manager.check();
  manager.stop();
  rmSync(manager.path);
  manager.forget();
  note(`${manager.path} is removed`);
  await using store = await context.openStore();
  const { processing } = await store.stats.read();
  const living = (await processStates(store)).filter(isLiving);
  if (processing > 0 && living.length === 0)
    note(`commands go on: ${processing}; the next worker takes them over, and queuectl cancel ends them`);
  return done;
}

async function serviceStatus(
  context: Context,
  _words: readonly string[],
  { json }: { json?: boolean },
): Promise<number> {
  const manager = installed(context);
  manager.check();
  const { running, pid, starts } = manager.state();
  const facts = { file: manager.path, running, pid, starts };
  if (json) await printJson(facts);
  else
    await printFacts([
      ["file", manager.path],
      [
        "state",
        running ? { text: `running as ${pid}`, style: "green" } : { text: "not running", style: "red" },
      ],
      ["starts", startWords[starts]],
    ]);
  return running ? done : notDone;
}

const startWords = {
  boot: "with the machine",
  login: "when you log in, and ends when you log out",
  hand: "not by itself",
} as const;

const managerOf = ({ environment }: Context): ServiceManager =>
  process.platform === "darwin" ? launchd(environment) : systemd(environment);

function installed(context: Context): ServiceManager {
  const manager = managerOf(context);
  if (existsSync(manager.path)) return manager;
  throw new Refusal("not_found", "no service is installed", "queuectl service install makes one");
}

const planOf = ({ environment, home }: Context, words: readonly string[]): ServicePlan => ({
  command: [...selfCommand(), ...words],
  environment: { ...ownVariables(withoutMark(environment)), QUEUECTL_HOME: home },
  home,
});

/** What says where the queue is and how it is set; and where commands are found, as a worker that is started by hand finds them. */
const ownVariables = (environment: Environment): Environment =>
  Object.fromEntries(
    Object.entries(environment).filter(([name]) => name.startsWith("QUEUECTL_") || name === "PATH"),
  );

/** What npx and bunx fetch is gone one day. */
function refuseCache(command: readonly string[]): void {
  if (!command.some((word) => /\/(_npx|bunx-[^/]*)\//.test(word))) return;
  throw new Refusal(
    "wrong_state",
    "a service cannot run from what npx or bunx fetched, which is emptied now and then",
    "install it first: npm install -g queuectl",
  );
}

/** For its owner alone, as a database's URL has a password; whole or not at all. */
function writeSafely(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode: fileMode });
  renameSync(fresh, path);
}

/** Fulfilled with the workers of the service's process. */
async function untilWorking(store: Store, manager: ServiceManager): Promise<string[]> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const { pid } = manager.state();
    const own = (await processStates(store)).filter(
      ({ liveness, identity }) => liveness === "alive" && identity.pid === pid,
    );
    if (own.length > 0) return workersOf(own);
    await Bun.sleep(50);
  }
  throw new Refusal(
    "unavailable",
    "the service was started, and no worker came of it",
    manager.advice().at(-1),
  );
}
