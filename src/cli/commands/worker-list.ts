// queuectl worker list: the workers, and what each runs.

import { formatElapsed } from "../../domain/duration.ts";
import { workerJson } from "../../domain/json.ts";
import { workersAsSeen } from "../../worker/liveness.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { jsonFlag, note, printJson, printTable } from "../output.ts";

export const commands: Commands = {
  "worker list": { flags: [jsonFlag], run: workerList },
};

export const noWorker = "no worker runs; start one: queuectl worker";

async function workerList(
  context: Context,
  _words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const workers = await workersAsSeen(store);
  const now = await store.now();
  const since = (moment: number) => formatElapsed(moment, now);
  if (options.json) await printJson(workers.map(workerJson));
  else if (workers.length === 0) note(noWorker);
  else {
    await printTable(
      ["ID", "STATE", "JOB", "QUEUES", "PID", "HOST", "VERSION", "UP", "HEARD OF"],
      workers.map((worker) => [
        worker.id,
        worker.state,
        worker.job_id ?? "",
        worker.queues?.join(",") ?? "all",
        String(worker.pid),
        worker.host,
        worker.version,
        since(worker.started_at),
        `${since(worker.heartbeat_at)} ago`,
      ]),
      ["VERSION", "PID", "UP", "HOST", "HEARD OF", "QUEUES"],
    );
  }
  return done;
}
