// Looks for what alerts tell of for as long as it stands: runs that are slow, and queues that back up.

import { type Alert, concerns } from "../domain/alert.ts";
import type { QueueCounts } from "../domain/overview.ts";
import type { Standing } from "../store/alerts.ts";
import type { Store } from "../store/store.ts";

export async function lookForTrouble(store: Store, all: readonly Alert[]): Promise<void> {
  const alerts = all.filter(
    ({ paused, events }) => !paused && (events.includes("slow") || events.includes("backlog")),
  );
  if (alerts.length === 0) return;
  const now = await store.now();
  const queues = alerts.some(({ events }) => events.includes("backlog")) ? await store.stats.queues() : [];
  for (const alert of alerts) {
    const standing = [
      ...(alert.longer_than === null ? [] : await slowRuns(store, alert, now - alert.longer_than * 1000)),
      ...(alert.events.includes("backlog") ? await backlogs(store, alert, queues, now) : []),
    ];
    await store.alerts.stand(alert.name, standing);
  }
}

async function slowRuns(store: Store, alert: Alert, startedBefore: number): Promise<Standing[]> {
  const running = await store.alerts.runningSince(startedBefore);
  return running
    .filter(({ job }) => concerns(alert, "slow", job))
    .map(({ job, attempt }) => ({ mark: `run ${job.seq}.${attempt}`, event: "slow", about: job }));
}

async function backlogs(
  store: Store,
  { name, queue: only, more_than, older_than }: Alert,
  queues: readonly QueueCounts[],
  now: number,
): Promise<Standing[]> {
  const found: Standing[] = [];
  const told = await store.alerts.marks(name);
  for (const { queue, pending, failed, oldest_waiting_at } of queues) {
    if (only !== null && only !== queue) continue;
    const oldest_wait = oldest_waiting_at === null ? null : Math.max(0, now - oldest_waiting_at) / 1000;
    const isOld = older_than !== null && oldest_wait !== null && oldest_wait > older_than;
    // Those that wait for their moment are counted among the others: only where there may be too many is it worth to look.
    const mayBeMany = more_than !== null && pending + failed > more_than;
    const mark = `queue ${queue}`;
    // How many there are in all is said once: from then on it counts only whether they still are too many.
    const limit = told.has(mark) ? more_than! + 1 : pending + failed;
    const waiting = mayBeMany ? await store.alerts.readyJobs(queue, limit) : null;
    const isMany = waiting !== null && waiting > more_than!;
    if (isOld || isMany) found.push({ mark, event: "backlog", about: { queue, waiting, oldest_wait } });
  }
  return found;
}
