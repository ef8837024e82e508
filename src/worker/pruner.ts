// Removes finished jobs, their attempts and their logs when they are older than the retention.

import type { Settings } from "../domain/settings.ts";
import type { Store } from "../store/store.ts";
import { removeJobLogs } from "./job-logs.ts";

/** Small enough that a claim waits no longer than it would for another worker. */
const batch = 500;

export async function pruneOnce(store: Store, home: string, { retention }: Settings): Promise<void> {
  if (retention === 0) return;
  const before = (await store.now()) - retention * 1000;
  for (;;) {
    const removed = await store.jobs.prune(before, batch);
    removeJobLogs(home, removed);
    if (removed.length < batch) return;
  }
}
