// A worker process without commands on a queue with limits: claims and settles until nothing is left, looks in between at what runs,
// and prints each claim as `seq attempt`. Ends with an error when it sees more of the queue `narrow` than 2, or two of one key.

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
let ended: Parameters<typeof store.leases.exchange>[0]["ended"] = [];
while ((await store.stats.outstanding(null)) > 0) {
  const wanted = { worker_ids, queues: null };
  const turn = await store.leases.exchange({ started: [], ended, settings, wanted });
  if (turn.stale.length > 0) throw new Error(`stale: ${JSON.stringify(turn.stale)}`);
  claims.push(...turn.claimed.map(({ job, attempt }) => `${job.seq} ${attempt}\n`));
  const { jobs } = await store.jobs.list({ state: "processing" }, { limit: 0 });
  const narrow = jobs.filter(({ queue }) => queue === "narrow");
  const keys = jobs.flatMap(({ key }) => key ?? []);
  if (narrow.length > 2 || new Set(keys).size < keys.length)
    throw new Error(`too many: ${JSON.stringify(jobs.map(({ id, queue, key }) => [id, queue, key]))}`);
  ended = turn.claimed.map(({ lease }) => ({ lease, ending: exitWith(0) }));
}
process.stdout.write(claims.join(""));
