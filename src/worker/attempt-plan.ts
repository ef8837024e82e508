// From a claimed job to the plan of its attempt: where its output goes, what it carries, and what limits it.

import type { ClaimedJob } from "../domain/lease.ts";
import type { Settings } from "../domain/settings.ts";
import { errorLogPath } from "../home.ts";
import { jobEnvironment } from "../runner/environment.ts";
import { markOf } from "../runner/mark.ts";
import type { AttemptPlan } from "../runner/supervise.ts";
import type { LogPlace } from "../store/logs.ts";
import { outputPath } from "./job-logs.ts";

export interface PlanFacts extends LogPlace {
  /** What a job's variables are laid over. */
  readonly environment: Readonly<Record<string, string>>;
  readonly settings: () => Settings;
}

export function attemptPlan(
  { job, attempt }: ClaimedJob,
  { store, home, environment, settings }: PlanFacts,
): AttemptPlan {
  const mark = markOf(home, store.output?.queue, job.seq, attempt);
  const logPath = outputPath({ store, home }, job.seq, attempt);
  return {
    command: job.command,
    cwd: job.cwd,
    env: jobEnvironment({ base: environment, mark, job, attempt }),
    timeout: job.timeout,
    logPath,
    errorPath: job.rules.split ? errorLogPath(logPath) : null,
    mark,
    rules: job.rules,
    limits: settings,
  };
}
