// A waiting job changed by a form or the API.

import { checkEdit, type JobEdit } from "../domain/edit.ts";
import type { Job } from "../domain/job.ts";
import { unhidden } from "../domain/secrets.ts";
import type { Web } from "./web.ts";

/** What of its environment was hidden from whoever edits it stays what it is. */
export const editFor = (job: Job, { env, ...edit }: JobEdit): JobEdit =>
  checkEdit(job, { ...edit, ...(env && { env: unhidden(env, job.env) }) });

/** A dead letter that goes back into its queue as another one. */
export const retryEdited = async (web: Web, job: Job, edit: JobEdit): Promise<Job> =>
  web.store.jobs.retryEdited(job.seq, editFor(job, edit));

export const editOne = async (web: Web, job: Job, edit: JobEdit): Promise<Job> =>
  web.store.jobs.edit(job.seq, editFor(job, edit));
