// What the dashboard asks of processes, of which it knows nothing itself.

import type { Job } from "../domain/job.ts";
import type { Worker } from "../domain/worker.ts";
import { version } from "../self.ts";
import type { Store } from "../store/store.ts";
import type { Processes } from "../web/web.ts";
import { startDetached } from "../worker/detach.ts";
import { removeJobLogs } from "../worker/job-logs.ts";
import { deadWorkers } from "../worker/liveness.ts";
import { endCancelled } from "../worker/rescuer.ts";
import type { Context } from "./context.ts";

export function webProcesses(context: Context, store: () => Store): Processes {
  async function workers(): Promise<Worker[]> {
    const dead = await deadWorkers(store());
    const all = await store().workers.list();
    return all.map((worker) => (dead.has(worker.id) ? { ...worker, state: "dead" } : worker));
  }

  return {
    workers,

    start: (count, queues) =>
      startDetached({
        store: store(),
        home: context.home,
        environment: context.environment,
        words: ["--quiet", `--count=${count}`, ...queues.map((queue) => `--queue=${queue}`)],
      }),

    async endCancelled(jobs: readonly Job[]) {
      const living = new Set((await workers()).filter(({ state }) => state !== "dead").map(({ id }) => id));
      const settings = await context.settings(store());
      for (const { seq, worker_id } of jobs) {
        if (worker_id === null || living.has(worker_id)) continue;
        await endCancelled(store(), { home: context.home, seq, settings, version });
      }
    },

    removeLogs: (removed) => removeJobLogs(context.home, removed),
  };
}
