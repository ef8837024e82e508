// Takes over a command that another worker process started and died over: finds its shell, watches it without being its
// parent, and learns from the journal how it ended.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isSystemError } from "../domain/errors.ts";
import { databasePath, runFolder } from "../home.ts";
import { isJournalingShell, readRun } from "./journal.ts";
import { carries, homeMark, type Mark } from "./mark.ts";
import { startOf, statOf } from "./process-identity.ts";
import { lookAround } from "./process-table.ts";
import { type AttemptPlan, type RunningAttempt, type ShellExit, supervise } from "./supervise.ts";

/** What is known of a command whose worker is dead. */
export interface Orphan {
  readonly journalPath: string;
  readonly pid: number | null;
  readonly pid_start: string | null;
  /** Seconds since it was started by the wall clock, for what has ended and cannot be asked any more. */
  readonly ranFor: number;
  /** Whether the machine was started anew since. */
  readonly rebooted: boolean;
  /** Whether somebody else ends it by force, because its worker's lease was about to end. */
  readonly forced?: boolean | undefined;
}

/** How often a foreign process is looked at: it cannot be waited for. */
const lookMs = 100;
/** 128 + SIGKILL. */
const killedStatus = 137;
/** A shell that was just started has not said anything yet when its worker is killed in the same instant. */
const firstWordMs = 200;

/** Watches an orphan that still runs, or tells how it ended, or in which way it was lost. */
export async function adoptAttempt(planned: AttemptPlan, found: Orphan): Promise<RunningAttempt> {
  const plan = { ...planned, mark: await carriedMark(planned.mark, found.journalPath) };
  const orphan = { ...found, journalPath: journalIn(planned.mark.home, found.journalPath) };
  const { group, alive, cgroup } = await findShell(plan.mark, orphan);
  const pid_start = alive ? (startOf(group!) ?? "") : "";
  let abandoned = false;
  const age = alive ? ageOf(group!) : orphan.ranFor;
  return supervise({ pid: group, cgroup, age, isNew: false, exited: watch(), abandon }, plan);

  function abandon(): void {
    abandoned = true;
  }

  async function watch(): Promise<ShellExit | "lost" | "rebooted"> {
    while (!abandoned) {
      try {
        // The order matters: the status of a shell that is gone was written before it went.
        const runs = alive && startOf(group!) === pid_start;
        if (!runs) return exitFrom(readRun(orphan.journalPath, plan.mark.run)?.status);
      } catch (error) {
        // What cannot be read now may be later.
        if (!isSystemError(error)) throw error;
      }
      await Bun.sleep(lookMs);
    }
    return new Promise(() => {});
  }

  function exitFrom(status: number | undefined): ShellExit | "lost" | "rebooted" {
    if (status === undefined || (orphan.forced && status === killedStatus))
      return orphan.rebooted ? "rebooted" : "lost";
    return { exit_code: status, signal: null, cpu_time: null, peak_memory: null };
  }
}

/** As its command carries it. One that began before the home was moved names the former home, where its worker had its journal. */
async function carriedMark(mark: Mark, journalPath: string): Promise<Mark> {
  const former = { ...mark, home: dirname(dirname(journalPath)) };
  if (journalPath === "" || former.home === mark.home) return mark;
  // Of another queue that is there now, a run of this number is one of its own.
  const isOthers = existsSync(databasePath(former.home)) && homeMark(former.home) !== mark.home;
  return !isOthers && (await lookAround()).carrying(former).length > 0 ? former : mark;
}

/** A journal has moved with its home. */
const journalIn = (home: string, journalPath: string) =>
  journalPath === "" || existsSync(journalPath) ? journalPath : join(runFolder(home), basename(journalPath));

/** Ends whatever is left of a command that nobody is to watch on, and tells of it as lost. */
export const loseAttempt = (plan: AttemptPlan, ranFor: number): RunningAttempt =>
  supervise(
    {
      pid: null,
      cgroup: null,
      age: ranFor,
      isNew: false,
      exited: Promise.resolve("lost"),
      abandon: () => {},
    },
    plan,
  );

interface FoundShell {
  /** The attempt's process group, if anything of it is left. */
  readonly group: number | null;
  /** Whether the shell itself runs. */
  readonly alive: boolean;
  readonly cgroup: string | null;
}

async function findShell(mark: Mark, { journalPath, pid, pid_start, rebooted }: Orphan): Promise<FoundShell> {
  if (rebooted) return { group: null, alive: false, cgroup: null };
  const isShell = (candidate: number) =>
    process.platform === "linux"
      ? carries(candidate, mark) && leads(candidate) && isJournalingShell(wordsOf(candidate), mark.run)
      : startOf(candidate) === pid_start;
  const search = async () => {
    const entry = readRun(journalPath, mark.run);
    const hints = [pid, entry?.pid].filter((hint) => hint !== null && hint !== undefined);
    const carriers = (await lookAround()).carrying(mark);
    const shell = hints.find(isShell) ?? carriers.find(isShell);
    const cgroup = entry?.cgroup ?? null;
    if (shell !== undefined) return { group: shell, alive: true, cgroup };
    // A number that was a group of ours still is one when something marked is in it.
    const group = hints.find((hint) => carriers.some((carrier) => statOf(carrier)?.group === hint)) ?? null;
    return entry === undefined ? undefined : { group, alive: false, cgroup };
  };
  const first = await search();
  if (first) return first;
  await Bun.sleep(firstWordMs);
  return (await search()) ?? { group: null, alive: false, cgroup: null };
}

/** Whether a process leads its group and session, as every attempt's shell does. */
function leads(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.group === pid && stat.session === pid;
}

function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** Kernel ticks in a second: sysconf(_SC_CLK_TCK), 100 wherever Linux runs. */
const ticksPerSecond = 100;

/** Seconds since a process was started, by the time since the machine's start, which nobody sets. */
function ageOf(pid: number): number {
  if (process.platform !== "linux") {
    const text = Bun.spawnSync(["ps", "-o", "etime=", "-p", String(pid)])
      .stdout.toString()
      .trim();
    return secondsOf(text);
  }
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return Math.max(0, uptime - Number(statOf(pid)?.start ?? 0) / ticksPerSecond);
}

/** `[[dd-]hh:]mm:ss`, as ps(1) prints it. */
function secondsOf(text: string): number {
  const [days, clock] = text.includes("-") ? text.split("-") : ["0", text];
  const seconds = (clock ?? "").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number(days) * 86_400 + seconds;
}
