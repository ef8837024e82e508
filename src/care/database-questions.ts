// The database: whole, of a schema that this program knows, read by a SQLite without known faults, with usable settings.

import { environmentName, settingKeys, unknownVariable } from "../domain/default-settings.ts";
import { formatDuration } from "../domain/duration.ts";
import { Refusal } from "../domain/errors.ts";
import { effectiveSettings, findSetting, readSetting, variableMeantBy } from "../domain/settings.ts";
import { isoTime } from "../domain/time.ts";
import type { Checkup } from "../store/sqlite/checkup.ts";
import type { Patient } from "./doctor.ts";
import { broken, type Finding, ok, warning } from "./finding.ts";

export const sqlite = ({ sqliteVersion }: Checkup): Finding => judgeSqlite(sqliteVersion);

/**
 * Before 3.51.3 a database could be damaged when two connections reset its write-ahead log in the same moment
 * (sqlite.org/wal.html, "the WAL-reset bug").
 */
export function judgeSqlite(version: string): Finding {
  if (Bun.semver.order(version, "3.51.3") >= 0) return ok(version);
  return warning(
    `${version} can damage a database that several processes write at once (fixed in 3.51.3)`,
    "use the queuectl binary for Linux, or a newer Bun or system",
  );
}

export function schema({ schema: { version, newest } }: Pick<Checkup, "schema">): Finding {
  if (version > newest)
    return broken(
      `schema ${version} is newer than this queuectl, which knows up to ${newest}`,
      "use the newer queuectl that made it",
    );
  return ok(version < newest ? `${version}; the next command brings it to ${newest}` : String(version));
}

export async function whereabouts(checkup: Pick<Checkup, "movedTo">): Promise<Finding> {
  const to = await checkup.movedTo();
  if (to === undefined) return ok("here");
  return warning(
    `the queue moved to ${to}`,
    "work there, or open this one again as it was when it moved: queuectl migrate --undo",
  );
}

export async function integrity(checkup: Checkup): Promise<Finding> {
  const problems = await checkup.problems();
  if (problems.length === 0) return ok("the database is whole");
  return broken(
    `the database is damaged: ${problems[0]}${problems.length > 1 ? ", and more" : ""}`,
    "stop all workers, keep a copy, and restore a backup (or what sqlite3's .recover gets out of it)",
  );
}

export async function storedSettings(
  checkup: Pick<Checkup, "settings">,
  { environment }: Patient,
): Promise<Finding> {
  const stored = await checkup.settings();
  for (const [name, text] of Object.entries(stored)) {
    const key = findSetting(name);
    const fault = key === undefined ? `${name} is no setting` : faultOf(() => readSetting(key, text));
    if (fault) return broken(`a stored setting cannot be used: ${fault}`, `queuectl config unset ${name}`);
  }
  const fault = faultOf(() => effectiveSettings({}, environment));
  if (fault) {
    const names = settingKeys.map(environmentName).filter((name) => environment[name] !== undefined);
    return broken(`a setting in the environment cannot be used: ${fault}`, `unset ${names.join(" or ")}`);
  }
  const unknown = unknownVariable(environment);
  if (unknown !== undefined) {
    const meant = variableMeantBy(unknown);
    return warning(
      `${unknown} in the environment is no setting`,
      meant ? `did you mean ${meant}?` : "queuectl config show lists the settings",
    );
  }
  return ok("all can be used");
}

function faultOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** What two processes may differ by when they ask the clock. */
export const toleranceMs = 2_000;

export async function clock(checkup: Checkup): Promise<Finding> {
  return judgeClock(Date.now(), await checkup.lastChange());
}

export function judgeClock(now: number, lastChange: number | null): Finding {
  if (lastChange === null || lastChange <= now + toleranceMs) return ok(isoTime(now));
  const behind = formatDuration(Math.round((lastChange - now) / 1000));
  return warning(
    `the clock is ${behind} behind the last change of a job: it was set back, or was wrong then`,
    "set the clock right (timedatectl); scheduled jobs wait for their time by this clock",
  );
}
