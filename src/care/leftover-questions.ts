// What lies in the home folder and belongs to nothing any more.

import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";
import { counted } from "../domain/counted.ts";
import { formatSize } from "../domain/size.ts";
import { isRunFileOf, jobLogsFolder, runFolder } from "../home.ts";
import type { Checkup } from "../store/sqlite/checkup.ts";
import type { Patient } from "./doctor.ts";
import { type Finding, ok, some, warning } from "./finding.ts";
import { filesBelow, foundJobLogs } from "./job-logs.ts";

/** A damaged database does not know all of its jobs: what it has no job for may be all that is left of one. */
const whileDamaged = ok("not looked at, as the database is damaged");

const isDamaged = async (checkup: Checkup) => (await checkup.problems()).length > 0;

export async function leftoverLogs(checkup: Checkup, { home }: Patient): Promise<Finding> {
  if (await isDamaged(checkup)) return whileDamaged;
  let count = 0;
  const leftover: string[] = [];
  for (const { path, seq, attempt } of foundJobLogs(home)) {
    if (path.endsWith(".log")) count++;
    if (!checkup.hasAttempt(seq, attempt)) leftover.push(path);
  }
  return judgeLeftovers(leftover, "log", `of jobs that are no more, in ${jobLogsFolder(home)}`, () =>
    ok(counted(count, "log")),
  );
}

/** A worker removes what nobody refers to once a minute, and makes its own a moment before it is entered. */
const youngMs = 120_000;

export async function leftoverJournals(checkup: Checkup, { home }: Patient): Promise<Finding> {
  if (await isDamaged(checkup)) return whileDamaged;
  const folder = runFolder(home);
  // By their names: their workers may have come to the folder by a symbolic link.
  const referred = new Set((await checkup.journals()).map((path) => basename(path)));
  const leftover = [...filesBelow(folder)].filter(
    (path) =>
      isRunFileOf(undefined, basename(path)) &&
      !referred.has(basename(path)) &&
      Date.now() - (modifiedAt(path) ?? Date.now()) > youngMs,
  );
  return judgeLeftovers(leftover, "journal", `of workers that are no more, in ${folder}`, () =>
    ok("none is left over"),
  );
}

/** A job that was removed in this moment takes its log along a little later, so what has gone meanwhile does not count. */
function judgeLeftovers(
  paths: readonly string[],
  thing: string,
  whose: string,
  fine: () => Finding,
): Finding {
  const left = paths.filter((path) => existsSync(path));
  if (left.length === 0) return fine();
  const bytes = left.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  return warning(
    `${counted(left.length, thing)} ${whose} (${formatSize(bytes)})`,
    `nothing needs them; remove ${some(left)}`,
  );
}

const modifiedAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs;
