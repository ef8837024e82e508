// The options that say when the jobs of a schedule come.

import { oneOf } from "../domain/one-of.ts";
import { missedPolicies, type NewSchedule, overlapPolicies } from "../domain/schedule.ts";
import { ownZone, zoneOf } from "../domain/zone.ts";
import type { JobOptions } from "./job-options.ts";
import { seconds } from "./values.ts";
import type { Flag } from "./words.ts";

export const zoneFlag: Flag = [
  "--tz <zone>",
  "The zone of its times, such as Europe/Berlin; this machine's by default",
];

export const scheduleFlags: readonly Flag[] = [
  zoneFlag,
  ["--missed <what>", "Of times that no worker was there for: skip all, run one (the default), or all"],
  ["--overlap <what>", "While its last job is not settled: skip (the default), queue another, or replace it"],
  ["--jitter <duration>", "Start each time up to so much later, always the same for one time"],
  ["--replace", "Put it in the place of a schedule that has the name"],
];

/** The options that say when; those of a job say what. */
export interface ScheduleOptions extends JobOptions {
  readonly tz?: string;
  readonly missed?: string;
  readonly overlap?: string;
  readonly jitter?: string;
  readonly replace?: boolean;
}

/** What the options say of times; the rest is by default. */
export function readRule({
  tz,
  missed = "one",
  overlap = "skip",
  jitter,
}: ScheduleOptions): Pick<NewSchedule, "tz" | "missed" | "overlap" | "jitter"> {
  return {
    tz: zoneOf(tz ?? ownZone()).name,
    missed: oneOf("--missed", missed, missedPolicies),
    overlap: oneOf("--overlap", overlap, overlapPolicies),
    jitter: jitter === undefined ? 0 : seconds("jitter", jitter),
  };
}
