// A worker process without commands: it claims and settles as fast as it can, beside others that begin at the same moment.

import type { Store } from "../../src/store/store.ts";
import { exitWith, settings } from "./sample-jobs.ts";
import { startSignal } from "./start-together.ts";

/** Enters with three workers, and comes back when all may begin. */
export async function claimingProcess(store: Store) {
  const worker_ids = [1, 2, 3].map((n) => `worker-${process.pid}-${n}`);
  const identity = { host: "here", boot_id: "", pid_namespace: "", pid: process.pid, pid_start: "" };
  await store.workers.register({
    identity,
    home: "/home",
    version: "1",
    queues: null,
    worker_ids,
    journal: "/journal",
  });
  await startSignal();

  let ended: Parameters<typeof store.leases.exchange>[0]["ended"] = [];
  return {
    /** Settles what was claimed before as completed, and claims; each claim as `seq attempt`, a line each. */
    async turn(): Promise<string[]> {
      const wanted = { worker_ids, queues: null };
      const { stale, claimed } = await store.leases.exchange({ started: [], ended, settings, wanted });
      if (stale.length > 0) throw new Error(`stale: ${JSON.stringify(stale)}`);
      ended = claimed.map(({ lease }) => ({ lease, ending: exitWith(0) }));
      return claimed.map(({ job, attempt }) => `${job.seq} ${attempt}\n`);
    },
  };
}
