// What every process of an attempt carries in its environment, so that it can be found wherever it went: in another session,
// forked twice, or left behind by a worker that is dead.

import { readdirSync, readFileSync } from "node:fs";
import { isDead, statOf } from "./process-identity.ts";

export interface Mark {
  readonly home: string;
  /** `<job number>.<attempt number>`. */
  readonly run: string;
}

export const markOf = (home: string, seq: number, attempt: number): Mark => ({
  home,
  run: `${seq}.${attempt}`,
});

/** The variables that carry it. */
export const markVariables = ({ home, run }: Mark) => ({ QUEUECTL_HOME: home, QUEUECTL_RUN: run });

/** Variables that belong to an attempt and not to a queuectl process that is started inside of it. */
export const attemptVariables = [
  "QUEUECTL_RUN",
  "QUEUECTL_JOB_ID",
  "QUEUECTL_ATTEMPT",
  "QUEUECTL_QUEUE",
] as const;

/** Whether a living process carries a mark. False where it cannot be known: only Linux shows environments. */
export function carries(pid: number, mark: Mark): boolean {
  const environ = environOf(pid);
  return environ !== undefined && isMarked(environ, (run) => run === mark.run, mark.home);
}

/** The living processes that carry a mark (Linux; elsewhere none). */
export const carriersOf = (mark: Mark): number[] => carriers(mark.home, (run) => run === mark.run);

/** The living processes of earlier attempts of the same job. */
export function carriersOfEarlier({ home, run }: Mark): number[] {
  const job = run.slice(0, run.indexOf(".") + 1);
  return carriers(home, (other) => other.startsWith(job) && other !== run);
}

function carriers(home: string, isWanted: (run: string) => boolean): number[] {
  if (process.platform !== "linux") return [];
  const pids = readdirSync("/proc").filter((name) => name >= "0" && name <= "9~");
  return pids.map(Number).filter((pid) => {
    const environ = environOf(pid);
    return environ !== undefined && isMarked(environ, isWanted, home) && !isDead(statOf(pid)?.state ?? "X");
  });
}

function isMarked(environ: string, isWanted: (run: string) => boolean, home: string): boolean {
  const run = /\0QUEUECTL_RUN=([^\0]*)\0/.exec(environ)?.[1];
  return run !== undefined && isWanted(run) && environ.includes(`\0QUEUECTL_HOME=${home}\0`);
}

function environOf(pid: number): string | undefined {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}\0`;
  } catch {
    // Somebody else's process, or it has just gone.
    return undefined;
  }
}
