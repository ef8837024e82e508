// What the store refuses with, as long as it does: said once, and asked again after longer and longer pauses.

import type { Refusal } from "../domain/errors.ts";
import type { WorkerEvent } from "./events.ts";

export interface Trouble {
  met(refusal: Refusal): void;
  over(): void;
  current(): Refusal | undefined;
  /** How long to leave the database alone now; not all machines at once. */
  pauseMs(): number;
}

export function watchTrouble(tell: (event: WorkerEvent) => void): Trouble {
  let current: Refusal | undefined;
  let refusals = 0;
  return {
    met(refusal) {
      if (current?.message !== refusal.message) tell({ kind: "trouble", message: refusal.message });
      current = refusal;
      refusals++;
    },
    over() {
      if (current) tell({ kind: "trouble_over" });
      current = undefined;
      refusals = 0;
    },
    current: () => current,
    pauseMs: () => Math.min(500 * 2 ** refusals, 5_000) * (0.5 + Math.random() / 2),
  };
}
