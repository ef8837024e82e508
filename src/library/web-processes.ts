// What the dashboard asks of processes, of which it knows nothing itself.

import type { Job } from "../domain/job.ts";
import type { Settings } from "../domain/settings.ts";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";
import type { Processes } from "../web/web.ts";
import { startDetached } from "../worker/detach.ts";
import { removeJobLogs } from "../worker/job-logs.ts";
import { workersAsSeen } from "../worker/liveness.ts";
import { endCancelled } from "../worker/rescuer.ts";

export interface ProcessFacts {
  readonly home: string;
  /** What workers that are started get, with the queue that they are to work on. */
  readonly environment: Readonly<Record<string, string>>;
  /** The queue as it is now. */
  readonly store: () => Store;
  readonly settings: () => Promise<Settings>;
  /** As for `startDetached`. */
  readonly program?: readonly string[];
}

export function webProcesses(facts: ProcessFacts): Processes {
  const { home, environment, store, settings, program } = facts;
  return {
    workers: () => workersAsSeen(store()),

    start: (count, queues) =>
      startDetached({
        store: store(),
        home,
        environment,
        program,
        words: ["--quiet", `--count=${count}`, ...queues.map((queue) => `--queue=${queue}`)],
      }),

    endCancelled: async (jobs: readonly Job[]) =>
      endCancelled(store(), jobs, { home, version, settings: await settings() }),

    removeLogs: (removed) => removeJobLogs({ store: store(), home }, removed),
  };
}
