// queuectl status: figures about the whole queue.

import { formatDuration } from "../../domain/duration.ts";
import { jobStates } from "../../domain/job.ts";
import { livenessOf } from "../../runner/process-identity.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { type Cell, printFacts, printJson, stateCell } from "../output.ts";

export async function status(
  context: Context,
  _words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const processes = await store.workers.processes();
  const gone = processes.filter(({ identity }) => livenessOf(identity) === "dead");
  const all = await store.stats.read();
  const missing = gone.reduce((sum, { worker_ids }) => sum + worker_ids.length, 0);
  const stats = { ...all, active_workers: all.active_workers - missing };
  if (options.json) {
    await printJson(stats);
    return done;
  }
  await printFacts([
    ...jobStates.map((state): [string, Cell] => [state, { ...styled(state), text: String(stats[state]) }]),
    ["total", String(stats.total)],
    ["active workers", String(stats.active_workers)],
    ["successful runs", String(stats.success_runs)],
    ["failed runs", String(stats.failed_runs)],
    ["success rate", stats.success_rate === null ? "none yet" : `${(stats.success_rate * 100).toFixed(1)} %`],
    ["average duration", stats.avg_duration === null ? "none yet" : formatDuration(stats.avg_duration)],
  ]);
  return done;
}

const styled = (state: string) => {
  const cell = stateCell(state);
  return typeof cell === "string" ? { style: "white" as const } : cell;
};
