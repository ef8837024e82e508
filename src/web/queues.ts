// What pages and the API ask of one queue: the same for both.

import { checkQueue } from "../domain/job.ts";
import { type Queue, queueNamed } from "../domain/queue.ts";
import { queues } from "./reads.ts";
import type { Web } from "./web.ts";

export async function queueOf(web: Web, name: string): Promise<Queue> {
  checkQueue(name);
  return queueNamed(name, await queues(web));
}

export type PauseVerb = "pause" | "resume";

export async function pauseOrResume(web: Web, name: string, verb: PauseVerb): Promise<void> {
  checkQueue(name);
  await web.store.queues[verb]([name]);
}
