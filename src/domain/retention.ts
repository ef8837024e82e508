// How long jobs are kept that are settled.

import { misuse } from "./errors.ts";
import { type SettledState, settledStates } from "./job.ts";
import type { Settings } from "./settings.ts";

/**
 * How old jobs of each state must be to be removed, in seconds: what somebody says, or else what the settings say, which keep a state
 * for ever that is missing here. Dead letters go by a word that names them, or by their setting.
 */
export function agesOf(
  { retention, retention_dead }: Pick<Settings, "retention" | "retention_dead">,
  states: readonly SettledState[] | undefined,
  age: number | undefined,
): ReadonlyMap<SettledState, number> {
  const kept = { completed: retention, cancelled: retention, dead: retention_dead };
  const ages = new Map<SettledState, number>();
  for (const state of states ?? (age === undefined ? settledStates : (["completed", "cancelled"] as const))) {
    const setting = kept[state];
    if (age === undefined && setting === 0 && states !== undefined)
      throw misuse(
        `the settings keep jobs that are ${state}`,
        "say what they must be older than, such as 7d",
      );
    if (age !== undefined || setting > 0) ages.set(state, age ?? setting);
  }
  return ages;
}
