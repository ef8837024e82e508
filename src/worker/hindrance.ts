// Why no job can be started here for the time being: a log that cannot be opened. Jobs are left to others meanwhile, instead of
// being taken and given back without end.

import { logTrouble } from "../runner/run.ts";
import type { WorkerEvent } from "./events.ts";

export interface Hindrance {
  /** Remembers that a job could not be started, and why; said once. */
  met(message: string, logPath: string): void;
  /** Whether it still stands. Looks again now and then, and says when it has passed. */
  stands(): boolean;
  /** Whether one was met and has not passed yet, without looking. */
  known(): boolean;
}

export function watchHindrance(lookAgainMs: number, tell: (event: WorkerEvent) => void): Hindrance {
  let current: { readonly logPath: string; readonly lookAgainAt: number } | undefined;
  const remember = (logPath: string) => {
    current = { logPath, lookAgainAt: performance.now() + lookAgainMs };
  };
  return {
    met(message, logPath) {
      if (!current) tell({ kind: "hindrance", message });
      remember(logPath);
    },
    stands() {
      if (!current || performance.now() < current.lookAgainAt) return current !== undefined;
      if (logTrouble(current.logPath) === null) {
        current = undefined;
        tell({ kind: "hindrance_over" });
        return false;
      }
      remember(current.logPath);
      return true;
    },
    known: () => current !== undefined,
  };
}
