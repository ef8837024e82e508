// queuectl prune: remove what finished long ago, with its history and output.

import { misuse } from "../../domain/errors.ts";
import { type SettledState, settledStates } from "../../domain/job.ts";
import type { Settings } from "../../domain/settings.ts";
import type { Store } from "../../store/store.ts";
import { pruneFinished } from "../../worker/pruner.ts";
import { confirmed } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { note, printJson, printTable, stateCell } from "../output.ts";
import { progressBar, progressLine } from "../progress.ts";
import { jobState, seconds } from "../values.ts";

interface PruneOptions {
  readonly olderThan?: string;
  readonly state?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What goes of one state. */
interface Share {
  readonly state: SettledState;
  readonly before: number;
  readonly jobs: number;
}

export async function prune(
  context: Context,
  _words: readonly string[],
  options: PruneOptions,
): Promise<number> {
  const states = options.state === undefined ? undefined : statesOf(options.state);
  const age = options.olderThan === undefined ? undefined : seconds("older-than", options.olderThan);
  if (options.json && !options.dryRun) throw misuse("--json is for --dry-run");
  await using store = await context.openStore();
  const shares = await sharesOf(store, agesOf(await context.settings(store), states, age));
  if (options.dryRun) return show(shares, options.json ?? false);

  const total = sum(shares);
  if (total === 0) {
    note("nothing is that old");
    return done;
  }
  if (!confirmed(`Remove ${partsText(shares)}, with their history and output?`, options)) {
    note("nothing was removed");
    return notDone;
  }
  note(`${jobsText(await remove({ store, home: context.home }, shares, total))} removed`);
  return done;
}

function statesOf(text: string): SettledState[] {
  return text.split(",").map((name) => {
    const state = jobState(name.trim());
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

/** How old jobs of each state must be, in seconds: what was said, or else what the settings say. */
function agesOf(
  { retention, retention_dead }: Settings,
  states: readonly SettledState[] | undefined,
  age: number | undefined,
): ReadonlyMap<SettledState, number> {
  const kept = { completed: retention, cancelled: retention, dead: retention_dead };
  const ages = new Map<SettledState, number>();
  // Dead letters go by a word that names them, or by their setting.
  for (const state of states ?? (age === undefined ? settledStates : (["completed", "cancelled"] as const))) {
    const setting = kept[state];
    if (age === undefined && setting === 0 && states !== undefined)
      throw misuse(`the settings keep jobs that are ${state}`, "say how old: --older-than 7d");
    if (age !== undefined || setting > 0) ages.set(state, age ?? setting);
  }
  return ages;
}

async function sharesOf(store: Store, ages: ReadonlyMap<SettledState, number>): Promise<Share[]> {
  const now = await store.now();
  const shares: Share[] = [];
  for (const [state, age] of ages) {
    // What finished at this very moment is older than nothing.
    const before = now - age * 1000 + (age === 0 ? 1 : 0);
    shares.push({ state, before, jobs: await store.jobs.finishedBefore(before, state) });
  }
  return shares;
}

const sum = (shares: readonly Share[]) => shares.reduce((total, { jobs }) => total + jobs, 0);

const jobsText = (count: number) => `${count} ${count === 1 ? "job" : "jobs"}`;

const partsText = (shares: readonly Share[]) =>
  `${jobsText(sum(shares))} (${shares
    .filter(({ jobs }) => jobs > 0)
    .map(({ state, jobs }) => `${jobs} ${state}`)
    .join(", ")})`;

async function show(shares: readonly Share[], json: boolean): Promise<number> {
  if (json) await printJson(Object.fromEntries(shares.map(({ state, jobs }) => [state, jobs])));
  else
    await printTable(
      ["STATE", "JOBS"],
      shares.map(({ state, jobs }) => [stateCell(state), String(jobs)]),
    );
  return done;
}

async function remove(
  place: Parameters<typeof pruneFinished>[0],
  shares: readonly Share[],
  total: number,
): Promise<number> {
  using progress = progressLine();
  let removed = 0;
  for (const { state, before } of shares) {
    const earlier = removed;
    removed += await pruneFinished(place, before, [state], (now) =>
      progress.show(() => progressBar(Math.min(1, (earlier + now) / total), jobsText(earlier + now))),
    );
  }
  return removed;
}
