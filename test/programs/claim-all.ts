// A worker process without commands: claims and settles until nothing is left, and prints each claim as `seq attempt`.

import { openStore, placeOf } from "../../src/store/open.ts";
import { exitWith, settings } from "../support/sample-jobs.ts";
import { startSignal } from "../support/start-together.ts";

await using store = await openStore(placeOf(process.env));
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

const claims: string[] = [];
for (let ended: Parameters<typeof store.leases.exchange>[0]["ended"] = []; ; ) {
  const turn = await store.leases.exchange({
    started: [],
    ended,
    settings,
    wanted: { worker_ids, queues: null },
  });
  if (turn.stale.length > 0) throw new Error(`stale: ${JSON.stringify(turn.stale)}`);
  claims.push(...turn.claimed.map(({ job, attempt }) => `${job.seq} ${attempt}\n`));
  ended = turn.claimed.map(({ lease }) => ({ lease, ending: exitWith(0) }));
  if (turn.claimed.length === 0) break;
}
process.stdout.write(claims.join(""));
