// What a signal asks of a worker: the first to finish its jobs and go, the second to give them back.

import type { StopOrder } from "../domain/worker.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Calls `onOrder` with `finish` at the first signal and with `release` at each further one, until disposed. */
export function onStopSignals(onOrder: (order: StopOrder) => void): Disposable {
  let seen = 0;
  const handle = () => onOrder(seen++ === 0 ? "finish" : "release");
  for (const signal of signals) process.on(signal, handle);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, handle);
    },
  };
}

/** Has a worker go at once and leave its commands running for the next one. Bun and its engine use the signal for nothing. */
export const leaveSignal = "SIGUSR2";

/** Calls `onOrder` with `leave` at that signal, until disposed. */
export function onLeaveSignal(onOrder: (order: StopOrder) => void): Disposable {
  const handle = () => onOrder("leave");
  process.on(leaveSignal, handle);
  return { [Symbol.dispose]: () => void process.off(leaveSignal, handle) };
}
