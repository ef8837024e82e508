// What every process of an attempt carries in its environment, so that it can be found wherever it went: in another session,
// forked twice, or left behind by a worker that is dead.

import { readFileSync, realpathSync } from "node:fs";
import { isSystemError } from "../domain/errors.ts";
import { allPids, isDead, statOf } from "./process-identity.ts";

export interface Mark {
  /** As `homeMark` has it. */
  readonly home: string;
  /** `<job number>.<attempt number>`, with `<queue>.` before it where several queues may share the home. */
  readonly run: string;
}

/** `queue` tells a queue on PostgreSQL from another one of this home; undefined for the home's own. */
export const markOf = (home: string, queue: string | undefined, seq: number, attempt: number): Mark => ({
  home: homeMark(home),
  run: `${queue === undefined ? "" : `${queue}.`}${seq}.${attempt}`,
});

const homeMarks = new Map<string, string>();

/** A home by one name, whichever way leads to it: another worker may have come by a symbolic link. */
export function homeMark(home: string): string {
  const known = homeMarks.get(home);
  if (known !== undefined) return known;
  try {
    homeMarks.set(home, realpathSync(home));
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  return homeMarks.get(home) ?? home;
}

/** The variables that carry it. */
export const markVariables = ({ home, run }: Mark) => ({ QUEUECTL_HOME: home, QUEUECTL_RUN: run });

/** Variables that belong to an attempt and not to a queuectl process that is started inside of it. */
const attemptVariables = ["QUEUECTL_RUN", "QUEUECTL_JOB_ID", "QUEUECTL_ATTEMPT", "QUEUECTL_QUEUE"] as const;

const attemptNames: ReadonlySet<string> = new Set(attemptVariables);

/** For a queuectl process that is started inside of an attempt, and is no part of it. */
export const withoutMark = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !attemptNames.has(name)));

/** Whether a living process carries a mark. False where it cannot be known: only Linux shows environments. */
export const carries = (pid: number, { home, run }: Mark): boolean => runOf(environOf(pid), home) === run;

/** The living processes of earlier attempts of the same job. */
export type FindEarlier = (mark: Mark) => readonly number[];

/**
 * For attempts of one home that start at one moment: the first of them that asks looks at all processes of the machine. What is gone by
 * then stays so, as only what an earlier attempt has left can start more of it.
 */
export function lookForEarlier(): FindEarlier {
  let runs: ReadonlyMap<string, readonly number[]> | undefined;
  return (mark) => {
    runs ??= runsOf(mark.home);
    return earlierIn(runs, mark);
  };
}

/** Those of earlier attempts of the same job among what `runsOf` finds. */
export function earlierIn(runs: ReadonlyMap<string, readonly number[]>, { run }: Mark): readonly number[] {
  const job = run.slice(0, run.lastIndexOf(".") + 1);
  return [...runs].flatMap(([other, pids]) => (other.startsWith(job) && other !== run ? pids : []));
}

/** The living processes of all attempts of a home, as marks have it, by the `run` of their mark (Linux; elsewhere none). */
export function runsOf(home: string): ReadonlyMap<string, readonly number[]> {
  if (process.platform !== "linux") return new Map();
  const none = "";
  const runs = Map.groupBy(allPids(), (pid) => {
    const run = runOf(environOf(pid), home);
    return run === undefined || isDead(statOf(pid)?.state ?? "X") ? none : run;
  });
  runs.delete(none);
  return runs;
}

function runOf(environ: string | undefined, home: string): string | undefined {
  const run = /\0QUEUECTL_RUN=([^\0]*)\0/.exec(environ ?? "")?.[1];
  return environ?.includes(`\0QUEUECTL_HOME=${home}\0`) ? run : undefined;
}

function environOf(pid: number): string | undefined {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}\0`;
  } catch {
    // Somebody else's process, or it has just gone.
    return undefined;
  }
}
