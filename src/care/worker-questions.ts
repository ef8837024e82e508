// The workers: who lives, who is dead, who cannot be asked; and whether somebody is there for every running job.

import { counted } from "../domain/counted.ts";
import { formatDuration } from "../domain/duration.ts";
import type { WorkerProcess } from "../domain/worker.ts";
import { databasePath } from "../home.ts";
import { livenessOf } from "../runner/process-identity.ts";
import type { Checkup } from "../store/sqlite/checkup.ts";
import type { Patient } from "./doctor.ts";
import { type Finding, ok, some, warning } from "./finding.ts";
import { isSameFile } from "./same-file.ts";

/** Six heartbeats missed. */
const silentMs = 60_000;

export async function workers(checkup: Checkup, { home }: Patient): Promise<Finding> {
  const processes = await checkup.processes();
  const elsewhere = ofLiveness(processes, "elsewhere");
  if (elsewhere.length > 0) {
    const hosts = [...new Set(elsewhere.map(({ identity }) => identity.host))];
    return warning(
      `${some(idsOf(elsewhere))} run on another host or in another container (${some(hosts)}), and nothing here can tell whether they live`,
      "stop them there, for several machines use PostgreSQL; if they are gone for good: queuectl worker forget",
    );
  }
  const dead = ofLiveness(processes, "dead");
  if (dead.length > 0)
    return warning(
      `${some(idsOf(dead))} died without taking leave`,
      "start a worker (queuectl worker): it takes over what they ran",
    );
  const left = processes.find((process) => !isSameFile(databasePath(process.home), databasePath(home)));
  if (left) {
    const { pid } = left.identity;
    return warning(
      `${some(left.worker_ids)} (pid ${pid}) was started in ${left.home}, from where this home was moved, and cannot reach it`,
      `kill -USR2 ${pid}, and start a worker here (queuectl worker): it takes over what runs`,
    );
  }
  const silent = processes.find(({ heartbeat_at }) => Date.now() - heartbeat_at > silentMs);
  if (silent) {
    const since = formatDuration(Math.round((Date.now() - silent.heartbeat_at) / 1000));
    return warning(
      `${some(silent.worker_ids)} (pid ${silent.identity.pid}) said nothing for ${since}: stopped, or without access to the database`,
      `kill -CONT ${silent.identity.pid}, or see queuectl worker logs ${silent.worker_ids[0]}`,
    );
  }
  return ok(
    processes.length === 0 ? "none runs" : `${counted(idsOf(processes).length, "worker")}, all alive`,
  );
}

export async function runningJobs(checkup: Checkup): Promise<Finding> {
  const processes = await checkup.processes();
  return judgeRunning(await checkup.running(), processes, ofLiveness(processes, "dead"));
}

export function judgeRunning(
  running: readonly { readonly id: string; readonly worker_id: string }[],
  processes: readonly WorkerProcess[],
  gone: readonly WorkerProcess[],
): Finding {
  const dead = new Set(idsOf(gone));
  const known = new Set(idsOf(processes));
  const alone = running.filter(({ worker_id }) => dead.has(worker_id) || !known.has(worker_id));
  if (alone.length === 0) return ok(counted(running.length, "job"));
  return warning(
    `${some(alone.map(({ id }) => id))} ran by a worker that is gone`,
    "start a worker (queuectl worker): it takes them over, or runs them again",
  );
}

const ofLiveness = (processes: readonly WorkerProcess[], liveness: "dead" | "elsewhere") =>
  processes.filter(({ identity }) => livenessOf(identity) === liveness);

export const idsOf = (processes: readonly WorkerProcess[]) =>
  processes.flatMap(({ worker_ids }) => worker_ids);
