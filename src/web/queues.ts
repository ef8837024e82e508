// What pages and the API ask of one queue: the same for both.

import { checkQueue } from "../domain/job.ts";
import { allQueues, nothingSaid, type Queue } from "../domain/queue.ts";
import { queues } from "./reads.ts";
import type { Web } from "./web.ts";

/** Any name is a queue's: one that no job has named yet has none. */
export async function queueOf(web: Web, name: string): Promise<Queue> {
  checkQueue(name);
  const found = (await queues(web)).find(({ queue }) => queue === name);
  return found ?? allQueues([], [nothingSaid(name)])[0]!;
}

export type PauseVerb = "pause" | "resume";

export async function pauseOrResume(web: Web, name: string, verb: PauseVerb): Promise<void> {
  checkQueue(name);
  await web.store.queues[verb]([name]);
  web.shared.forget();
}
