// queuectl's part of postgres: a process that settles and claims as many jobs at a time as it has workers, until none is left.

import type { Settlement } from "../../src/domain/lease.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { openStore } from "../../src/store/open.ts";
import { ended } from "../example.ts";

const [database, batch, name] = process.argv.slice(2) as [string, string, string];
await using store = await openStore({ home: "/bench", database });
const worker_ids = Array.from({ length: Number(batch) }, (_, index) => `worker-${name}-${index}`);
await store.workers.register({
  identity: { host: "bench", boot_id: "", pid_namespace: "", pid: process.pid, pid_start: "" },
  home: "/bench",
  version: "bench",
  queues: null,
  worker_ids,
  journal: "",
});
console.log("ready");
await Bun.stdin.text();
let done = 0;
let turns = 0;
let settlements: Settlement[] = [];
do {
  const turn = await store.leases.exchange({
    started: [],
    ended: settlements,
    settings: effectiveSettings({}, {}),
    wanted: { worker_ids, queues: null },
  });
  turns++;
  done += turn.settled.filter(({ state }) => state === "completed").length;
  settlements = turn.claimed.map(({ lease }) => ({ lease, ending: ended }));
  if (settlements.length === 0 && turn.next_due_at !== null) await Bun.sleep(2);
  else if (settlements.length === 0) break;
} while (true);
console.log(JSON.stringify({ done, turns }));
