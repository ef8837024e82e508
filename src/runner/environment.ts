// The environment a command gets: the worker's own without what only the worker needs to know, the job's on top, and three words
// about itself.

import type { Job } from "../domain/job.ts";
import { secretVariables } from "../domain/settings.ts";
import { type Mark, markVariables } from "./mark.ts";

export interface EnvironmentParts {
  /** As the worker's user gave it, without what Bun adds. */
  readonly base: Readonly<Record<string, string>>;
  readonly mark: Mark;
  readonly job: Job;
  readonly attempt: number;
}

export const jobEnvironment = ({ base, mark, job, attempt }: EnvironmentParts): Record<string, string> => ({
  ...withoutSecretSettings(base),
  ...job.env,
  ...markVariables(mark),
  QUEUECTL_JOB_ID: job.id,
  QUEUECTL_ATTEMPT: String(attempt),
  QUEUECTL_QUEUE: job.queue,
});

/** What a job prints of its environment is read by more people than its worker's settings are. */
const withoutSecretSettings = (base: EnvironmentParts["base"]): EnvironmentParts["base"] =>
  secretVariables.some((name) => name in base)
    ? Object.fromEntries(Object.entries(base).filter(([name]) => !secretVariables.includes(name)))
    : base;
