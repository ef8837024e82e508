// A job that a form or the API asks for, with the defaults of now: the same that the command line gives it.

import { createHash } from "node:crypto";
import { Refusal, type RefusalKind } from "../domain/errors.ts";
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

/** What makes asking again harmless. */
export interface Once {
  readonly key: string;
  /** All that was asked for under it, as JSON can say it, and the same whenever it is asked. */
  readonly said: unknown;
}

/**
 * With a key, asking again gives the job that the first time made. A job without an id gets one made of the key and of what was asked, so
 * that it is known again though it was edited since; and the database itself sees to it that no two begin with the same key, also when
 * both are asked for at once. An id of its own is never given twice, whatever the key.
 */
export async function enqueueOnce(web: Web, request: JobRequest, once: Once | undefined): Promise<Enqueuing> {
  if (once === undefined || request.id !== undefined) return enqueue(web, request);
  const ofKey = keyId(once);
  const id = ofKey + saidId(once);
  const earlier = async (): Promise<Enqueuing | undefined> => {
    const job = await found(web, ofKey);
    if (job && job.id !== id) throw usedKey();
    return job && { job, replayed: true };
  };
  const before = await earlier();
  if (before) return before;
  try {
    return await enqueue(web, { ...request, id }, ofKey);
  } catch (error) {
    const meanwhile = isRefusal(error, "conflict") ? await earlier() : undefined;
    if (!meanwhile) throw error;
    return meanwhile;
  }
}

async function enqueue(web: Web, request: JobRequest, idBegins?: string): Promise<Enqueuing> {
  const wanted = newJob(request, await jobDefaults(web));
  const { job, isNew } = await web.store.jobs.enqueueOnce(wanted, idBegins);
  return { job, replayed: false, ...(isNew ? {} : { known: true }) };
}

async function found(web: Web, idOrPrefix: string): Promise<Job | undefined> {
  try {
    return await web.store.jobs.find(idOrPrefix);
  } catch (error) {
    if (isRefusal(error, "not_found")) return undefined;
    throw error;
  }
}

const isRefusal = (error: unknown, kind: RefusalKind) => error instanceof Refusal && error.kind === kind;

const usedKey = () =>
  new Problem(
    422,
    "idempotency-key",
    "this idempotency key was used for another job",
    "use a new key for a new job",
  );

/** 70 bits of the key's digest. */
const keyId = ({ key }: Once) => idOfText(`queuectl enqueue ${key}`, 14);

/** 40 bits of the digest of what was asked, in whatever order its keys stand. */
const saidId = ({ said }: Once) => idOfText(JSON.stringify(said, inOrder), 8);

const inOrder = (_key: string, value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort())
    : value;

const idOfText = (text: string, letters: number) =>
  idFromBytes(createHash("sha256").update(text).digest().subarray(0, letters));
