// What the dashboard asks of processes, of which it knows nothing itself.

import type { Job } from "../domain/job.ts";
import { version } from "../self.ts";
import type { Store } from "../store/store.ts";
import type { Processes } from "../web/web.ts";
import { startDetached } from "../worker/detach.ts";
import { removeJobLogs } from "../worker/job-logs.ts";
import { workersAsSeen } from "../worker/liveness.ts";
import { endCancelled } from "../worker/rescuer.ts";
import type { Context } from "./context.ts";

export function webProcesses(context: Context, store: () => Store): Processes {
  return {
    workers: () => workersAsSeen(store()),

    start: (count, queues) =>
      startDetached({
        store: store(),
        home: context.home,
        environment: context.environment,
        words: ["--quiet", `--count=${count}`, ...queues.map((queue) => `--queue=${queue}`)],
      }),

    endCancelled: async (jobs: readonly Job[]) =>
      endCancelled(store(), jobs, {
        home: context.home,
        settings: await context.settings(store()),
        version,
      }),

    removeLogs: (removed) => removeJobLogs({ store: store(), home: context.home }, removed),
  };
}
