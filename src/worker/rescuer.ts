// Finds workers whose process is gone, ends what they left running, and lets their jobs go on elsewhere.

import type { Ending } from "../domain/attempt.ts";
import type { HeldJob } from "../domain/lease.ts";
import type { Settings } from "../domain/settings.ts";
import type { WorkerProcess } from "../domain/worker.ts";
import { endGroup } from "../runner/process-group.ts";
import { livenessOf, startOf } from "../runner/process-identity.ts";
import type { Store } from "../store/store.ts";
import type { WorkerEvent } from "./events.ts";

export interface RescuerOptions {
  readonly store: Store;
  readonly settings: () => Settings;
  readonly tell: (event: WorkerEvent) => void;
}

/** Rescues the jobs of every dead process of this machine. Safe to run in many processes at once: the leases decide. */
export async function rescueOnce(options: RescuerOptions): Promise<void> {
  for (const process of await options.store.workers.processes()) {
    if (livenessOf(process.identity) === "dead") await rescueProcess(process, options);
  }
}

async function rescueProcess(
  { process_id, identity }: WorkerProcess,
  options: RescuerOptions,
): Promise<void> {
  const { store, settings, tell } = options;
  const held = await store.leases.held(process_id);
  await Promise.all(held.map((job) => endRemains(job, settings().kill_grace)));
  const now = await store.now();
  const ended = held.map((job) => ({ lease: job.lease, ending: lostEnding(job, now) }));
  const { settled } = await store.leases.exchange({ started: [], ended, settings: settings(), wanted: null });
  for (const job of settled) tell({ kind: "rescued", job, pid: identity.pid });
  await store.workers.forget(process_id);
}

/** The command of a dead worker, if it still runs as the very process that was recorded. */
export async function endRemains({ pid, pid_start }: HeldJob, graceSeconds: number): Promise<void> {
  if (pid === null) return;
  const start = startOf(pid);
  // Another process has the pid now; the group's number is then free or another's too.
  if (start !== undefined && start !== pid_start) return;
  await endGroup(pid, graceSeconds * 1000);
}

const lostEnding = ({ job }: HeldJob, now: number): Ending => ({
  result: "lost",
  exit_code: null,
  signal: null,
  error: "lost: its worker died and left no result",
  note: null,
  duration: Math.max(0, now - (job.started_at ?? now)) / 1000,
  cpu_time: null,
  peak_memory: null,
  log_bytes: 0,
  log_truncated: false,
});
