// queuectl's part of cycle: one exchange after another settles 32 jobs and claims the next.

import type { Settlement } from "../../src/domain/lease.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { openStore } from "../../src/store/open.ts";
import { ended, plainJob } from "../example.ts";

const [home, count] = process.argv.slice(2) as [string, string];
const jobs = Number(count);
await using store = await openStore({ home });

await store.jobs.enqueueAll(
  (async function* () {
    for (let job = 0; job < jobs; job++) yield plainJob;
  })(),
);
const worker_ids = Array.from({ length: 32 }, (_, index) => `worker-${index}`);
await store.workers.register({
  identity: { host: "bench", boot_id: "", pid_namespace: "", pid: process.pid, pid_start: "" },
  home: "/bench",
  version: "bench",
  queues: null,
  worker_ids,
  journal: "",
});
const settings = effectiveSettings({}, {});
const begun = performance.now();
let done = 0;
let settlements: Settlement[] = [];
do {
  const { settled, claimed } = await store.leases.exchange({
    started: [],
    ended: settlements,
    settings,
    wanted: { worker_ids, queues: null },
  });
  done += settled.filter(({ state }) => state === "completed").length;
  settlements = claimed.map(({ lease }) => ({ lease, ending: ended }));
} while (settlements.length > 0);
console.log(JSON.stringify({ done, ms: performance.now() - begun }));
