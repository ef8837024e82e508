// What may be changed of a job while it waits.

import { checkNewJob, type Job, type NewJob } from "./job.ts";

const editedKeys = [
  "command",
  "queue",
  "priority",
  "max_retries",
  "timeout",
  "tags",
  "cwd",
  "env",
  "rules",
  "key",
  "run_at",
] as const satisfies readonly (keyof NewJob)[];

/** The keys that change, with what they are to be; `env` and `rules` whole. */
export type JobEdit = Partial<Pick<NewJob, (typeof editedKeys)[number]>>;

/** What is to become of a job as it is; asked again when another change came first. */
export type EditOf = (job: Job) => JobEdit;

/** Whether an edit has changed a job since somebody saw it. */
export const isEditedSince = (job: Job, seen: Job) =>
  editedKeys.some((key) => !Bun.deepEquals(job[key], seen[key]));

/** An edit without what is as it was, each tag once; refuses what would break a rule. */
export function checkEdit(job: Job, asked: JobEdit): JobEdit {
  const edit = asked.tags === undefined ? asked : { ...asked, tags: [...new Set(asked.tags)] };
  checkNewJob({ ...job, after: [], ...edit });
  const isOther = ([key, value]: [string, unknown]) =>
    value !== undefined && !Bun.deepEquals(value, job[key as keyof JobEdit]);
  return Object.fromEntries(Object.entries(edit).filter(isOther));
}
