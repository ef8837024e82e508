// A job that a form or the API asks for, with the defaults of now: the same that the command line gives it.

import { createHash } from "node:crypto";
import { Refusal } from "../domain/errors.ts";
import { idFromBytes } from "../domain/id.ts";
import { type Job, type JobRequest, newJob } from "../domain/job.ts";
import { defaultsFrom } from "../domain/plain-job.ts";
import { Problem } from "./errors.ts";
import type { Web } from "./web.ts";

export const jobDefaults = async (web: Web) => defaultsFrom(await web.settings(), web);

export interface Enqueuing {
  readonly job: Job;
  /** The job was there already: the same was asked before under the same key. */
  readonly replayed: boolean;
  /** Or it is the same by its `unique` key. */
  readonly known?: true;
}

/**
 * With a key, asking again gives the job that the first time made. A job without an id gets one made of the key, so that the
 * database itself sees to it that there are never two, also when both ask at once. An id of its own is never given twice, whatever the key.
 */
export async function enqueueOnce(
  web: Web,
  request: JobRequest,
  key: string | undefined,
): Promise<Enqueuing> {
  const wanted = newJob(
    { ...request, id: request.id ?? (key === undefined ? undefined : idOfKey(key)) },
    await jobDefaults(web),
  );
  try {
    const { job, isNew } = await web.store.jobs.enqueueOnce(wanted);
    return { job, replayed: false, ...(isNew ? {} : { known: true }) };
  } catch (error) {
    const isTaken = error instanceof Refusal && error.kind === "conflict" && wanted.id !== undefined;
    // Of an id that was not made of the key, the key says nothing.
    if (!isTaken || key === undefined || request.id !== undefined) throw error;
    const job = await web.store.jobs.find(wanted.id!);
    const isSame =
      job.command === wanted.command &&
      job.queue === wanted.queue &&
      job.priority === wanted.priority &&
      job.tags.join() === wanted.tags.join();
    if (isSame) return { job, replayed: true };
    throw new Problem(
      422,
      "idempotency-key",
      "this idempotency key was used for another job",
      "use a new key for a new job",
    );
  }
}

/** Sixteen letters: 80 bits of the key's digest. */
const idOfKey = (key: string) =>
  idFromBytes(createHash("sha256").update(`queuectl enqueue ${key}`).digest().subarray(0, 16));
