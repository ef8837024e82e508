// queuectl worker list: the workers, and what each runs.

import { formatDuration } from "../../domain/duration.ts";
import { workerJson } from "../../domain/json.ts";
import { deadWorkers } from "../../worker/liveness.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { note, printJson, printTable } from "../output.ts";

export async function workerList(
  context: Context,
  _words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const dead = await deadWorkers(store);
  const workers = (await store.workers.list()).map((worker) => ({
    ...worker,
    state: dead.has(worker.id) ? ("dead" as const) : worker.state,
  }));
  const now = await store.now();
  if (options.json) await printJson(workers.map(workerJson));
  else if (workers.length === 0) note("no worker runs; start one: queuectl worker");
  else {
    await printTable(
      ["ID", "STATE", "JOB", "QUEUES", "PID", "HOST", "UP"],
      workers.map((worker) => [
        worker.id,
        worker.state,
        worker.job_id ?? "",
        worker.queues?.join(",") ?? "all",
        String(worker.pid),
        worker.host,
        formatDuration(Math.round((now - worker.started_at) / 1000)),
      ]),
    );
  }
  return done;
}
