// queuectl status: figures about the whole queue.

import { formatDuration } from "../../domain/duration.ts";
import { misuse } from "../../domain/errors.ts";
import { jobStates } from "../../domain/job.ts";
import { oneLine } from "../../domain/one-line.ts";
import { percentText, type Stats } from "../../domain/stats.ts";
import type { Store } from "../../store/store.ts";
import { isLiving, processStates, workersOf } from "../../worker/liveness.ts";
import { pausedQueues } from "../../worker/paused.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import {
  type Cell,
  factLines,
  isTerminal,
  jsonFlag,
  note,
  printFacts,
  printJson,
  stateCell,
} from "../output.ts";
import { watchScreen } from "../screen.ts";
import { noJob } from "./list.ts";
import { noWorker } from "./worker-list.ts";

export const commands: Commands = {
  status: { flags: [["--watch", "Go on showing it, and what runs, until Ctrl-C"], jsonFlag], run: status },
};

async function status(
  context: Context,
  _words: readonly string[],
  options: { json?: boolean; watch?: boolean },
): Promise<number> {
  if (options.watch && (options.json || !isTerminal(1))) {
    throw misuse("--watch is for a terminal", "queuectl status --json is for programs");
  }
  await using store = await context.openStore();
  if (options.watch) {
    await watchScreen(store, async () => [
      ...factLines(factsFrom(await figures(store))),
      "",
      ...(await running(store)),
    ]);
    return done;
  }
  const found = await figures(store);
  if (options.json) {
    await printJson(found.stats);
    return done;
  }
  await printFacts(factsFrom(found));
  const { total, pending, failed, active_workers } = found.stats;
  if (total === 0) note(noJob);
  else if (pending + failed > 0 && active_workers === 0) note(noWorker);
  return done;
}

/** What runs now, the newest first, as much as a screen may show. */
async function running(store: Store): Promise<string[]> {
  const { jobs } = await store.matching.page({ state: "processing" }, { limit: 100, scan: 100 });
  const now = await store.now();
  return jobs.map(({ id, command, started_at }) => {
    const time = formatDuration(Math.max(0, Math.floor((now - (started_at ?? now)) / 1000)));
    return oneLine(`${id}  ${time.padStart(8)}  ${command}`);
  });
}

interface Figures {
  readonly stats: Stats & { readonly machines: number; readonly paused_queues: number };
  readonly paused: readonly string[];
  /** Null where there is only one machine. */
  readonly hosts: readonly string[] | null;
}

async function figures(store: Store): Promise<Figures> {
  const living = (await processStates(store)).filter(isLiving);
  const machines = new Map(
    living.map(({ identity }) => [
      `${identity.host} ${identity.boot_id} ${identity.pid_namespace}`,
      identity.host,
    ]),
  );
  const paused = await pausedQueues(store, null);
  const stats = {
    ...(await store.stats.read()),
    active_workers: workersOf(living).length,
    machines: machines.size,
    paused_queues: paused.length,
  };
  return { stats, paused, hosts: store.leaseMs === null ? null : [...machines.values()] };
}

function factsFrom({ stats, paused, hosts }: Figures): readonly (readonly [string, Cell])[] {
  return [
    ...jobStates.map((state): [string, Cell] => [state, { ...styled(state), text: String(stats[state]) }]),
    ["total", String(stats.total)],
    ["active workers", String(stats.active_workers)],
    ...(hosts === null ? [] : [machinesRow(hosts)]),
    ...(paused.length === 0 ? [] : [pausedRow(paused)]),
    ["successful runs", String(stats.success_runs)],
    ["failed runs", String(stats.failed_runs)],
    ["success rate", stats.success_rate === null ? "none yet" : percentText(stats.success_rate)],
    ["average duration", stats.avg_duration === null ? "none yet" : formatDuration(stats.avg_duration)],
  ];
}

const pausedRow = (queues: readonly string[]): [string, Cell] => [
  "paused queues",
  { text: queues.join(", "), style: "yellow" },
];

const machinesRow = (hosts: readonly string[]): [string, Cell] => [
  "machines",
  hosts.length === 0 ? "0" : `${hosts.length} (${hosts.toSorted().join(", ")})`,
];

const styled = (state: string) => {
  const cell = stateCell(state);
  return typeof cell === "string" ? { style: "white" as const } : cell;
};
