// Whether somebody keeps the schedules.

import { type Finding, ok, some, warning } from "./finding.ts";

/** Workers look again long before. */
const overdueMs = 60_000;

interface Overdue {
  overdueSchedules(ms: number): Promise<readonly string[]>;
}

export async function schedules(checkup: Overdue): Promise<Finding> {
  const overdue = await checkup.overdueSchedules(overdueMs);
  if (overdue.length === 0) return ok("none is overdue");
  return warning(
    `the time of ${some(overdue)} has come, and no worker has made a job of it`,
    "start a worker that stays (queuectl worker): one with --until-empty keeps no schedules",
  );
}
