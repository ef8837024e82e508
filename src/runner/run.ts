// One attempt as a process: started in a session of its own, with its output going straight to its log.

import { statSync } from "node:fs";
import { type Ending, endingOfNone } from "../domain/attempt.ts";
import { isSystemError, isWantOfRoom, systemTrouble } from "../domain/errors.ts";
import type { Cgroups } from "./cgroup.ts";
import { type Journal, journalingShell } from "./journal.ts";
import { limitByProcess } from "./memory.ts";
import { type OutputLog, openLog } from "./output.ts";
import { secretValues } from "./secret-env.ts";
import { type AttemptPlan, type RunningAttempt, type Shell, type ShellExit, supervise } from "./supervise.ts";

/** What a worker process has for its commands. */
export interface Surroundings {
  readonly journal: Journal;
  readonly cgroups: Cgroups;
}

/**
 * Starts an attempt. What could not be started is told as an attempt that ended at once: a failed one when the job is to blame, one
 * that was given back when the machine is: its log cannot be opened, or there is no room for another process.
 */
export function startAttempt(plan: AttemptPlan, surroundings: Surroundings): RunningAttempt {
  const refused = missingFolder(plan.cwd);
  if (refused) return notStarted({ result: "not_started", ...refused });
  const secrets = secretValues(plan.rules.secret_env ?? [], plan.env);
  if (typeof secrets === "string")
    return notStarted({ result: "not_started", exit_code: 126, error: secrets });
  const opened = openOrTell(plan.logPath);
  if (typeof opened === "string") return hindered(opened, plan);
  using log = opened;
  const openedError = plan.errorPath === null ? null : openOrTell(plan.errorPath);
  if (typeof openedError === "string") return hindered(openedError, plan);
  using errorLog = openedError;
  try {
    return supervise(
      spawn({ ...plan, env: { ...plan.env, ...secrets } }, { log, errorLog: errorLog ?? log }, surroundings),
      plan,
    );
  } catch (error) {
    const why = spawnFailure(error);
    if (isWantOfRoom(error)) return hindered(why, plan);
    return notStarted({ result: "not_started", exit_code: 126, error: `could not start: ${why}` });
  }
}

const hindered = (message: string, plan: AttemptPlan): RunningAttempt => ({
  ...giveBack(message),
  hindrance: { message, stands: () => cannotStart(plan) },
});

/** With the logs open as for a command: what is left must do for all of it. Leaves them empty. */
function cannotStart({ logPath, errorPath }: AttemptPlan): boolean {
  const opened = openOrTell(logPath);
  if (typeof opened === "string") return true;
  using _log = opened;
  const openedError = errorPath === null ? null : openOrTell(errorPath);
  if (typeof openedError === "string") return true;
  using _errorLog = openedError;
  try {
    Bun.spawnSync(["/bin/sh", "-c", ":"], { stdio: ["ignore", "ignore", "ignore"] });
    return false;
  } catch (error) {
    return isWantOfRoom(error);
  }
}

/** An attempt that is given back without having been started. */
export const giveBack = (why: string): RunningAttempt =>
  notStarted({ result: "released", exit_code: null, error: `given back before it started: ${why}` });

function openOrTell(path: string): OutputLog | string {
  try {
    return openLog(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return systemTrouble(error);
  }
}

function spawn(
  { command, cwd, env, mark, rules }: AttemptPlan,
  { log, errorLog }: Readonly<Record<"log" | "errorLog", OutputLog>>,
  { journal, cgroups }: Surroundings,
): Shell {
  const cgroup = cgroups.take(rules.memory);
  const path = cgroup?.path ?? null;
  const limit = rules.memory === undefined || cgroup?.isLimited ? "" : limitByProcess(rules.memory);
  const ownPeak = peakMemory();
  const words = [...niceWords(rules.nice), ...journalingShell(command, mark.run, { cgroup: path, limit })];
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn(words, {
      cwd,
      env: { ...env },
      detached: true,
      stdio: ["ignore", log.descriptor, errorLog.descriptor, journal.descriptor],
      ...(path === null ? {} : { cgroup: path }),
    });
  } catch (error) {
    if (cgroup !== null) cgroups.giveBack(cgroup, false);
    throw error;
  }
  const exited = child.exited.then(
    (): ShellExit => ({
      exit_code: child.exitCode,
      signal: child.signalCode === null ? null : String(child.signalCode),
      ...usage(child, ownPeak),
    }),
  );
  return {
    pid: child.pid,
    cgroup: path,
    age: 0,
    isNew: true,
    exited,
    abandon: () => child.unref(),
    done: (killed) => {
      if (cgroup !== null) cgroups.giveBack(cgroup, killed);
    },
  };
}

/** In bytes; getrusage(2) has it in kilobytes on Linux. Elsewhere what this process has now must do. */
const peakMemory = (): number =>
  process.platform === "linux" ? process.resourceUsage().maxRSS * 1024 : process.memoryUsage.rss();

/** nice(1) becomes the shell itself, so nothing else is between us and it. */
function niceWords(nice: number | undefined): string[] {
  if (nice === undefined) return [];
  const program = Bun.which("nice", { PATH: "/usr/bin:/bin" });
  if (program === null) throw new Error("nice(1) is in neither /usr/bin nor /bin");
  return [program, "-n", String(nice)];
}

/**
 * The kernel starts a child's peak at its parent's (vfork shares memory), so a peak that is not above our own says nothing.
 */
function usage(child: Bun.Subprocess, ownPeak: number): Pick<Ending, "cpu_time" | "peak_memory"> {
  const used = child.resourceUsage();
  if (!used) return { cpu_time: null, peak_memory: null };
  return {
    cpu_time: Number(used.cpuTime.total) / 1e6,
    peak_memory: used.maxRSS > ownPeak * 1.05 ? used.maxRSS : null,
  };
}

type Refused = Pick<Ending, "result" | "exit_code" | "error">;

function missingFolder(cwd: string): Omit<Refused, "result"> | undefined {
  try {
    const stat = statSync(cwd, { throwIfNoEntry: false });
    if (!stat) return { exit_code: 127, error: `the directory ${cwd} does not exist` };
    if (!stat.isDirectory()) return { exit_code: 126, error: `${cwd} is not a directory` };
    return undefined;
  } catch {
    return { exit_code: 126, error: `the directory ${cwd} may not be entered` };
  }
}

function spawnFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "E2BIG":
      return "the command and its environment are too long for this system";
    case "EAGAIN":
      return "the system allows no more processes";
    case "EMFILE":
      return "this worker may open no more files";
    case "ENFILE":
      return "the system allows no more open files";
    case "ENOMEM":
      return "there is no memory left";
    case "EACCES":
      return "its directory may not be entered";
    default:
      return message;
  }
}

/** An attempt that ended without a process. */
export function notStarted(refused: Refused): RunningAttempt {
  const nothing = () => {};
  return {
    pid: null,
    hindrance: null,
    ended: Promise.resolve(endingOfNone(refused)),
    end: nothing,
    kill: nothing,
    abandon: nothing,
  };
}
