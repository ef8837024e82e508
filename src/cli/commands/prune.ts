// queuectl prune: remove what finished long ago, with its history and output.

import { counted } from "../../domain/counted.ts";
import { misuse } from "../../domain/errors.ts";
import { type SettledState, settledStates } from "../../domain/job.ts";
import { agesOf } from "../../domain/retention.ts";
import { type Finished, finishedLongAgo, removeFinished } from "../../store/finished.ts";
import type { LogPlace } from "../../store/logs.ts";
import type { Store } from "../../store/store.ts";
import { removeJobLogs } from "../../worker/job-logs.ts";
import type { Commands } from "../command.ts";
import { confirmed, yesFlag } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { jsonFlag, note, printJson, printTable, stateCell } from "../output.ts";
import { progressBar, progressLine } from "../progress.ts";
import { seconds, statesIn } from "../values.ts";

export const commands: Commands = {
  prune: {
    examples: ["queuectl prune --dry-run", "queuectl prune --older-than 7d --state completed,dead --yes"],
    flags: [
      ["--older-than <duration>", "What finished longer ago; without it, as the settings keep each state"],
      [
        "--state <states>",
        "completed, cancelled or dead, or some with commas between; dead letters only if named",
      ],
      ["--dry-run", "Show how many would go, and remove nothing"],
      yesFlag,
      jsonFlag,
    ],
    run: prune,
  },
};

interface PruneOptions {
  readonly olderThan?: string;
  readonly state?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

async function prune(context: Context, _words: readonly string[], options: PruneOptions): Promise<number> {
  const states = options.state === undefined ? undefined : statesOf(options.state);
  const age = options.olderThan === undefined ? undefined : seconds("older-than", options.olderThan);
  if (options.json && !options.dryRun) throw misuse("--json is for --dry-run");
  await using store = await context.openStore();
  const shares = await finishedLongAgo(store, agesOf(await context.settings(store), states, age));
  if (options.dryRun) return show(shares, options.json ?? false);

  const total = sum(shares);
  if (total === 0) {
    note("nothing that old is to be removed");
    return done;
  }
  if (!confirmed(`Remove ${partsText(shares)}, with their history and output?`, options)) {
    note("nothing was removed");
    return notDone;
  }
  note(`${counted(await remove({ store, home: context.home }, shares, total), "job")} removed`);
  return done;
}

function statesOf(text: string): SettledState[] {
  return statesIn(text).map((state) => {
    const settled = settledStates.find((one) => one === state);
    if (settled === undefined) {
      throw misuse(
        `--state: jobs that are ${state} are not finished`,
        `it is one of ${settledStates.join(", ")}`,
      );
    }
    return settled;
  });
}

const sum = (shares: readonly Finished[]) => shares.reduce((total, { jobs }) => total + jobs, 0);

const partsText = (shares: readonly Finished[]) =>
  `${counted(sum(shares), "job")} (${shares
    .filter(({ jobs }) => jobs > 0)
    .map(({ state, jobs }) => `${jobs} ${state}`)
    .join(", ")})`;

async function show(shares: readonly Finished[], json: boolean): Promise<number> {
  if (json) await printJson(Object.fromEntries(shares.map(({ state, jobs }) => [state, jobs])));
  else
    await printTable(
      ["STATE", "JOBS"],
      shares.map(({ state, jobs }) => [stateCell(state), String(jobs)]),
    );
  return done;
}

async function remove(
  place: LogPlace & { readonly store: Store },
  shares: readonly Finished[],
  total: number,
): Promise<number> {
  using progress = progressLine();
  let count = 0;
  for (const { state, before } of shares) {
    const earlier = count;
    count += await removeFinished(place.store, {
      before,
      states: [state],
      removeLogs: (removed) => removeJobLogs(place, removed),
      onStep: (now) =>
        progress.show(() => progressBar(Math.min(1, (earlier + now) / total), counted(earlier + now, "job"))),
    });
  }
  return count;
}
