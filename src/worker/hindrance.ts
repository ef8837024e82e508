// Why no job can be started here for the time being: a log that cannot be opened, no room for another process. Jobs are left to others
// meanwhile, instead of being taken and given back without end.

import type { Obstacle } from "../runner/supervise.ts";
import type { WorkerEvent } from "./events.ts";

export interface Hindrance {
  /** Remembers why a job could not be started; said once. */
  met(obstacle: Obstacle): void;
  /** Whether it still stands. Looks again now and then, and says when it has passed. */
  stands(): boolean;
  /** Whether one was met and has not passed yet, without looking. */
  known(): boolean;
}

/** How long to leave alone what kept a job from being started. */
export const hindrancePauseMs = 1_000;

export function watchHindrance(tell: (event: WorkerEvent) => void): Hindrance {
  let current: { readonly obstacle: Obstacle; readonly lookAgainAt: number } | undefined;
  const remember = (obstacle: Obstacle) => {
    current = { obstacle, lookAgainAt: performance.now() + hindrancePauseMs };
  };
  return {
    met(obstacle) {
      if (!current) tell({ kind: "hindrance", message: obstacle.message });
      remember(obstacle);
    },
    stands() {
      if (!current || performance.now() < current.lookAgainAt) return current !== undefined;
      if (!current.obstacle.stands()) {
        current = undefined;
        tell({ kind: "hindrance_over" });
        return false;
      }
      remember(current.obstacle);
      return true;
    },
    known: () => current !== undefined,
  };
}
