// queuectl status: figures about the whole queue.

import { formatDuration } from "../../domain/duration.ts";
import { jobStates } from "../../domain/job.ts";
import { isLiving, processStates, workersOf } from "../../worker/liveness.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { type Cell, printFacts, printJson, stateCell } from "../output.ts";

export async function status(
  context: Context,
  _words: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const living = (await processStates(store)).filter(isLiving);
  const machines = new Map(
    living.map(({ identity }) => [
      `${identity.host} ${identity.boot_id} ${identity.pid_namespace}`,
      identity.host,
    ]),
  );
  const stats = {
    ...(await store.stats.read()),
    active_workers: workersOf(living).length,
    machines: machines.size,
  };
  if (options.json) {
    await printJson(stats);
    return done;
  }
  await printFacts([
    ...jobStates.map((state): [string, Cell] => [state, { ...styled(state), text: String(stats[state]) }]),
    ["total", String(stats.total)],
    ["active workers", String(stats.active_workers)],
    ...(store.leaseMs === null ? [] : [machinesRow([...machines.values()])]),
    ["successful runs", String(stats.success_runs)],
    ["failed runs", String(stats.failed_runs)],
    ["success rate", stats.success_rate === null ? "none yet" : `${(stats.success_rate * 100).toFixed(1)} %`],
    ["average duration", stats.avg_duration === null ? "none yet" : formatDuration(stats.avg_duration)],
  ]);
  return done;
}

const machinesRow = (hosts: readonly string[]): [string, Cell] => [
  "machines",
  hosts.length === 0 ? "0" : `${hosts.length} (${hosts.toSorted().join(", ")})`,
];

const styled = (state: string) => {
  const cell = stateCell(state);
  return typeof cell === "string" ? { style: "white" as const } : cell;
};
