// An attempt that starts when nothing is left of earlier ones of its job: a job never runs beside itself.

import { isSystemError, systemTrouble } from "../domain/errors.ts";
import type { FindEarlier } from "./mark.ts";
import { lookAround } from "./process-table.ts";
import { endProcesses } from "./process-tree.ts";
import { giveBack, notStarted } from "./run.ts";
import type { AttemptPlan, EndReason, RunningAttempt } from "./supervise.ts";
import { verdict } from "./verdict.ts";

/**
 * Ends what earlier attempts left running outside of their groups, which may take as long as they are given, and then calls `start`
 * and `onLate`; `start` at once when there is nothing. Until then the attempt has no process. It is given back when this cannot be
 * seen to at the moment.
 */
export function startAfterEarlier(
  plan: AttemptPlan,
  findEarlier: FindEarlier,
  start: () => RunningAttempt,
  onLate: () => void,
): RunningAttempt {
  try {
    if (findEarlier(plan.mark).length === 0) return start();
  } catch (error) {
    return giveBack(troubleOf(error));
  }
  return startAfter(plan, () => {
    const attempt = start();
    onLate();
    return attempt;
  });
}

function startAfter({ mark, rules, limits }: AttemptPlan, start: () => RunningAttempt): RunningAttempt {
  const find = async () => (await lookAround()).earlierThan(mark);
  const { promise: ended, resolve } = Promise.withResolvers<Awaited<RunningAttempt["ended"]>>();
  let begun: RunningAttempt | undefined;

  function begin(make: () => RunningAttempt): void {
    if (begun !== undefined) return;
    begun = make();
    void begun.ended.then(resolve);
  }

  function end(reason: EndReason): void {
    begin(() => notStarted(verdict("lost", reason, { timeout: 0, path: undefined, rules })));
    begun!.end(reason);
  }

  void endProcesses(find, limits().kill_grace * 1000, () => begun !== undefined).then(
    () => begin(start),
    (error) => begin(() => giveBack(troubleOf(error))),
  );

  return {
    get pid() {
      return begun?.pid ?? null;
    },
    get hindrance() {
      return begun?.hindrance ?? null;
    },
    ended,
    end,
    kill: () => begun?.kill(),
    abandon() {
      // Nobody could take over what does not run yet.
      if (begun === undefined) end("released");
      else begun.abandon();
    },
  };
}

function troubleOf(error: unknown): string {
  if (!isSystemError(error)) throw error;
  return systemTrouble(error);
}
