// Whether somebody forgot a queue that is paused.

import { type Finding, ok, some, warning } from "./finding.ts";

/** A night that a queue rests is meant so. */
const longMs = 86_400_000;

interface Paused {
  pausedQueues(ms: number): Promise<readonly string[]>;
}

export async function queues(checkup: Paused): Promise<Finding> {
  const paused = await checkup.pausedQueues(longMs);
  if (paused.length === 0) return ok("none is paused for long with jobs that wait");
  return warning(
    `${some(paused)} ${paused.length === 1 ? "is" : "are"} paused for more than a day, and jobs wait`,
    `queuectl queue resume ${paused[0]} lets it go on`,
  );
}
