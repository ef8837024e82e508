// The lease of a worker process where leases end: others may start its jobs anew from then on, so what it runs must have ended
// before. Counted by a clock that nobody sets and that goes on while the machine sleeps.

import { openSync, readSync } from "node:fs";
import { uptime } from "node:os";

/** Of a lease: after so much without a word from the database, what runs is asked to end. */
const endAfter = 2 / 3;
/** And after so much, it is killed. */
const killAfter = 5 / 6;
/** And after so much, what a guardian finds is killed. */
export const guardAfter = 13 / 15;
const lookMs = 500;

interface ProcessLease {
  /** The database has acknowledged a heartbeat that was sent at this moment, or a registration. */
  renewed(sentAt: number): void;
  /** Whether what runs had to end, and nothing may be started before the lease is renewed. */
  hasLapsed(): boolean;
}

export interface LeaseCare {
  /** The lease may end before the database answers again: what runs has to end. */
  onEnd(): void;
  onKill(): void;
}

/** Milliseconds since the machine's start, its sleep included; the same in every process. */
export const steadyNow = () => (process.platform === "linux" ? uptimeOfLinux() : uptime()) * 1000;

/** Stays open: want of descriptors must not keep anybody from seeing that a lease ends. */
let uptimeFile: number | undefined;
const uptimeText = Buffer.alloc(64);

function uptimeOfLinux(): number {
  uptimeFile ??= openSync("/proc/uptime", "r");
  const length = readSync(uptimeFile, uptimeText, 0, uptimeText.length, 0);
  return Number(uptimeText.toString("latin1", 0, length).split(" ")[0]);
}

/** Watches over a lease until disposed; says each thing once until the lease is renewed. */
export function watchLease(leaseMs: number, care: LeaseCare): ProcessLease & Disposable {
  let renewedAt = steadyNow();
  let told: "nothing" | "end" | "kill" = "nothing";
  const passedNow = () => (steadyNow() - renewedAt) / leaseMs;
  const look = () => {
    const passed = passedNow();
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
    hasLapsed: () => passedNow() >= endAfter,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
