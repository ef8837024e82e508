// A waiting job changed by a form or the API.

import { checkEdit, type JobEdit } from "../domain/edit.ts";
import type { Job } from "../domain/job.ts";
import { unhidden } from "../domain/secrets.ts";

/** What of its environment was hidden from whoever edits it stays what it is. */
export const editFor = (job: Job, { env, ...edit }: JobEdit): JobEdit =>
  checkEdit(job, { ...edit, ...(env && { env: unhidden(env, job.env) }) });
