// One attempt as a process: started in a session of its own, watched, ended when it must, and told as data.

import { statSync } from "node:fs";
import { constants } from "node:os";
import type { AttemptResult, Ending } from "../domain/attempt.ts";
import { formatDuration } from "../domain/duration.ts";
import { type OutputLog, openOutput } from "./output.ts";
import { endGroup, groupIsAlive, killGroup } from "./process-group.ts";
import { startOf } from "./process-identity.ts";
import { timeout } from "./timeout.ts";

export interface AttemptPlan {
  readonly command: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Seconds, 0 for none. */
  readonly timeout: number;
  readonly logPath: string;
  /** Asked when needed, so that a changed setting counts for what runs already. */
  readonly limits: () => { readonly kill_grace: number; readonly log_limit: number };
}

/** Why an attempt is ended from outside. */
export type EndReason = Extract<AttemptResult, "cancelled" | "released" | "timed_out">;

export interface RunningAttempt {
  /** Null when no process could be made; `ended` then says why. */
  readonly process: { readonly pid: number; readonly pid_start: string } | null;
  readonly ended: Promise<Ending>;
  /** Ends the whole process group. The first reason counts. */
  end(reason: EndReason): void;
  /** KILL to the whole group at once. */
  kill(): void;
}

export function startAttempt(plan: AttemptPlan): RunningAttempt {
  const startedAt = performance.now();
  const refused = missingFolder(plan.cwd);
  if (refused) return notStarted(refused, startedAt);
  try {
    const log = openOutput(plan.logPath, () => plan.limits().log_limit);
    try {
      return watch(spawn(plan, log), plan, log, startedAt);
    } catch (error) {
      log[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    return notStarted({ exit_code: 126, error: spawnFailure(error) }, startedAt);
  }
}

function spawn({ command, cwd, env }: AttemptPlan, log: OutputLog) {
  const shell = Bun.spawn(["/bin/sh", "-c", command], {
    cwd,
    env: { ...env },
    detached: true,
    stdin: "ignore",
    stdout: log.descriptor,
    stderr: log.descriptor,
  });
  log.handOver();
  return shell;
}

type Shell = ReturnType<typeof spawn>;

function watch(shell: Shell, plan: AttemptPlan, log: OutputLog, startedAt: number): RunningAttempt {
  const group = shell.pid;
  const ownMemory = process.memoryUsage.rss();
  let reason: EndReason | undefined;
  let ending: Promise<boolean> | undefined;

  const end = (why: EndReason) => {
    if (reason) return;
    reason = why;
    ending = endGroup(group, plan.limits().kill_grace * 1000);
  };

  async function finish(): Promise<Ending> {
    using _timer = plan.timeout > 0 ? timeout(plan.timeout * 1000, () => end("timed_out")) : undefined;
    await shell.exited;
    const duration = secondsSince(startedAt);
    const note = await endLeftovers();
    return {
      ...verdict(shell, reason, plan),
      note,
      duration,
      ...usage(shell, ownMemory),
      ...log.finish(),
    };
  }

  /** What the shell leaves in its group ends with it. */
  async function endLeftovers(): Promise<string | null> {
    const left = !ending && groupIsAlive(group);
    ending ??= left ? endGroup(group, plan.limits().kill_grace * 1000) : undefined;
    if (ending && !(await ending)) return "some of its processes could not be ended";
    return left ? "ended processes that it left running in its group" : null;
  }

  return {
    process: { pid: group, pid_start: startOf(group) ?? "" },
    ended: finish(),
    end,
    kill: () => killGroup(group),
  };
}

type Verdict = Pick<Ending, "result" | "exit_code" | "signal" | "error">;

function verdict(shell: Shell, reason: EndReason | undefined, plan: AttemptPlan): Verdict {
  switch (reason) {
    case "timed_out": {
      const error = `TimeoutExpired: ran longer than ${formatDuration(plan.timeout)}`;
      return { result: "timed_out", exit_code: 124, signal: null, error };
    }
    case "cancelled":
      return { result: "cancelled", exit_code: null, signal: null, error: "cancelled by a user" };
    case "released":
      return {
        result: "released",
        exit_code: null,
        signal: null,
        error: "given back by a forced stop of its worker",
      };
    case undefined:
      break;
    default:
      return reason satisfies never;
  }
  const { exitCode, signalCode } = shell;
  if (signalCode !== null) {
    const signal = String(signalCode);
    return { result: "signalled", exit_code: null, signal, error: `killed by ${signal}` };
  }
  return { result: "exited", exit_code: exitCode, signal: null, error: exitError(exitCode!, plan) };
}

function exitError(exitCode: number, { env }: AttemptPlan): string | null {
  switch (exitCode) {
    case 0:
      return null;
    case 126:
      return "exit status 126: not executable";
    case 127:
      return `exit status 127: command not found in PATH ${env.PATH ?? "(unset)"}`;
    default:
      return `exit status ${exitCode}`;
  }
}

/**
 * The kernel starts a child's peak at its parent's (vfork shares memory), so a peak that is not above our own says nothing.
 */
function usage(shell: Shell, ownMemory: number): Pick<Ending, "cpu_time" | "peak_memory"> {
  const used = shell.resourceUsage();
  if (!used) return { cpu_time: null, peak_memory: null };
  return {
    cpu_time: Number(used.cpuTime.total) / 1e6,
    peak_memory: used.maxRSS > ownMemory * 1.05 ? used.maxRSS : null,
  };
}

type Refused = Pick<Ending, "exit_code" | "error">;

function missingFolder(cwd: string): Refused | undefined {
  const stat = statSync(cwd, { throwIfNoEntry: false });
  if (!stat) return { exit_code: 127, error: `the directory ${cwd} does not exist` };
  if (!stat.isDirectory()) return { exit_code: 126, error: `${cwd} is not a directory` };
  return undefined;
}

function spawnFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "E2BIG":
      return "could not start: the command and its environment are too long for this system";
    case "EAGAIN":
      return "could not start: the system allows no more processes";
    case "EACCES":
      return "could not start: the directory or the log may not be opened";
    case "ENOSPC":
      return "could not start: no room for its log";
    default:
      return `could not start: ${message}`;
  }
}

function notStarted(refused: Refused, startedAt: number): RunningAttempt {
  const ending: Ending = {
    result: "not_started",
    ...refused,
    signal: null,
    note: null,
    duration: secondsSince(startedAt),
    cpu_time: null,
    peak_memory: null,
    log_bytes: 0,
    log_truncated: false,
  };
  return { process: null, ended: Promise.resolve(ending), end: () => {}, kill: () => {} };
}

const secondsSince = (startedAt: number) => Math.round(performance.now() - startedAt) / 1000;

/** 128 + the signal's number, as shells report a death by signal. */
export const signalStatus = (signal: string) => 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
