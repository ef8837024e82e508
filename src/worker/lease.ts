// The lease of a worker process where leases end: others may start its jobs anew from then on, so what it runs must have ended
// before. Counted by a clock that nobody sets and that goes on while the machine sleeps.

import { readFileSync } from "node:fs";

/** Of a lease: after so much without a word from the database, what runs is asked to end. */
const endAfter = 2 / 3;
/** And after so much, it is killed. */
const killAfter = 5 / 6;
const lookMs = 500;

export interface Lease {
  /** The database has acknowledged a heartbeat that was sent at this moment, or a registration. */
  renewed(sentAt: number): void;
}

export interface LeaseCare {
  /** The lease may end before the database answers again: what runs has to end. */
  onEnd(): void;
  onKill(): void;
}

/** Milliseconds since the machine's start, its sleep included. */
export const steadyNow = () =>
  process.platform === "linux"
    ? Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000
    : performance.now();

/** Watches over a lease until disposed; says each thing once until the lease is renewed. */
export function watchLease(leaseMs: number, care: LeaseCare): Lease & Disposable {
  let renewedAt = steadyNow();
  let told: "nothing" | "end" | "kill" = "nothing";
  const look = () => {
    const passed = (steadyNow() - renewedAt) / leaseMs;
    if (passed >= endAfter && told === "nothing") {
      told = "end";
      care.onEnd();
    }
    if (passed >= killAfter && told === "end") {
      told = "kill";
      care.onKill();
    }
  };
  const timer = setInterval(look, lookMs);
  return {
    renewed(sentAt) {
      renewedAt = Math.max(renewedAt, sentAt);
      told = "nothing";
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
