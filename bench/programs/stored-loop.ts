// The floor of drain and contend: claims and settles in queuectl's own store and starts commands as queuectl has to, so many at a
// time, and does nothing else. Says when it is ready, and begins when it is told to; ends when nothing waits.

import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { ClaimedJob, Settlement } from "../../src/domain/lease.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { jobLogPath } from "../../src/home.ts";
import { openCgroups } from "../../src/runner/cgroup.ts";
import { journalingShell } from "../../src/runner/journal.ts";
import { openStore } from "../../src/store/open.ts";
import { ended as completed } from "../example.ts";

const [home, count] = process.argv.slice(2) as [string, string];
await using store = await openStore({ home });
const journal = openSync(join(home, `journal-${process.pid}`), "a");
const cgroups = openCgroups();
const settings = effectiveSettings({}, {});
const worker_ids = Array.from({ length: Number(count) }, (_, index) => `worker-${process.pid}-${index}`);
await store.workers.register({
  identity: { host: "bench", boot_id: "", pid_namespace: "", pid: process.pid, pid_start: "" },
  home,
  version: "bench",
  queues: null,
  worker_ids,
  journal: "",
});

console.log("ready");
await Bun.stdin.text();

let idle = worker_ids;
let ended: Settlement[] = [];
let running = 0;
let wake = () => {};
do {
  await setImmediate();
  const wanted = { worker_ids: idle, queues: null };
  const batch = ended;
  idle = [];
  ended = [];
  const { claimed } = await store.leases.exchange({ started: [], ended: batch, settings, wanted });
  for (const job of claimed) void start(job);
  if (ended.length === 0 && running > 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
} while (running > 0 || ended.length > 0);
cgroups[Symbol.dispose]();

async function start({ job, lease, attempt, worker_id }: ClaimedJob): Promise<void> {
  const path = jobLogPath(home, job.seq, attempt);
  mkdirSync(dirname(path), { recursive: true });
  const log = openSync(path, "a");
  const cgroup = cgroups.take(undefined);
  const group = cgroup?.path ?? null;
  const child = Bun.spawn(
    journalingShell(job.command, `${job.seq}.${attempt}`, { cgroup: group, limit: "" }),
    {
      detached: true,
      stdio: ["ignore", log, log, journal],
      ...(group === null ? {} : { cgroup: group }),
    },
  );
  closeSync(log);
  running++;
  await child.exited;
  running--;
  if (cgroup !== null) cgroups.giveBack(cgroup, false);
  ended.push({ lease, ending: completed });
  idle.push(worker_id);
  wake();
}
