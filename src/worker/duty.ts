// Something a worker process does again and again beside its jobs, whatever becomes of a single time.

import { isSystemError, Refusal } from "../domain/errors.ts";

/** Runs `once` now and then, never twice at a time, until disposed. Trouble with database or files is left to the next time. */
export function every(ms: number, once: () => Promise<void>): AsyncDisposable {
  let running = Promise.resolve();
  let busy = false;
  const run = () => {
    if (busy) return;
    busy = true;
    running = once()
      .catch((error) => {
        if (!(error instanceof Refusal || isSystemError(error))) throw error;
      })
      .finally(() => {
        busy = false;
      });
  };
  run();
  const timer = setInterval(run, ms);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
