// queuectl's part of postgres: one process settles and claims as many jobs at a time as it has workers, until none is left. It
// begins when its standard input ends.

import type { Settlement } from "../../src/domain/lease.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { openStore } from "../../src/store/open.ts";
import { newWorkerId } from "../../src/store/rows.ts";
import { ended } from "../example.ts";

const [database, batch] = process.argv.slice(2) as [string, string];
await using store = await openStore({ home: "/bench", database });
const worker_ids = Array.from({ length: Number(batch) }, newWorkerId);
const process_id = await store.workers.register({
  identity: { host: "bench", boot_id: "", pid_namespace: "", pid: process.pid, pid_start: "" },
  home: "/bench",
  version: "bench",
  queues: null,
  worker_ids,
  journal: "",
});
const settings = effectiveSettings({}, {});
const heartbeat = setInterval(() => void store.workers.heartbeat(process_id), 5_000);
console.log("ready");
await Bun.stdin.text();

let done = 0;
let settlements: Settlement[] = [];
let mayComeMore = true;
while (mayComeMore) {
  const { settled, claimed, next_due_at } = await store.leases.exchange({
    started: [],
    ended: settlements,
    settings,
    wanted: { worker_ids, queues: null },
  });
  done += settled.filter(({ state }) => state === "completed").length;
  settlements = claimed.map(({ lease }) => ({ lease, ending: ended }));
  mayComeMore = claimed.length > 0 || next_due_at !== null;
  if (claimed.length === 0 && mayComeMore) await Bun.sleep(2);
}
clearInterval(heartbeat);
await store.workers.leave(worker_ids);
console.log(JSON.stringify({ done }));
