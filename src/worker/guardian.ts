// Ends the commands of a worker process before its lease does when the worker itself does not: because it was killed, is stopped, or
// hangs. A shell that sleeps most of the time and outlives its worker; the worker writes for it, with each heartbeat that was
// acknowledged, when that moment is. Close to it the shell calls queuectl (`guard.ts`), which does the rest.

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { isSystemError, unavailable } from "../domain/errors.ts";
import { fileMode } from "../home.ts";
import { cgroupOutsideOfAttempts } from "../runner/cgroup.ts";
import { withoutMark } from "../runner/mark.ts";
import { selfCommand } from "../self.ts";
import { dropCustody, holderOf } from "./custody.ts";
import { guardianEarlyMs, guardStatus, leaseFile, momentLine } from "./guard.ts";

export interface Guardian {
  /** Puts off the moment, by `steadyNow`. */
  renew(endAt: number): void;
  /** Whether it has ended what ran here, or is about to. */
  hasActed(): boolean;
  /** Lets it go: nothing runs here any more. */
  dismiss(): void;
}

/** At most this long between two looks, so that a machine that slept is noticed soon. */
const lookMs = 3_000;

/** `environment`: the user's own. */
export function startGuardian(
  journal: string,
  endAt: number,
  environment: Readonly<Record<string, string>>,
): Guardian {
  const path = leaseFile(journal);
  const descriptor = openSync(path, "w", fileMode);
  try {
    // Without a moment to wait for there would be no guardian.
    writeSync(descriptor, momentLine(endAt), 0);
  } catch (error) {
    closeSync(descriptor);
    rmSync(path, { force: true });
    throw isSystemError(error) ? unavailable(error) : error;
  }
  let child = start();

  function start(): Bun.Subprocess {
    const cgroup = cgroupOutsideOfAttempts();
    const started = Bun.spawn(
      ["/bin/sh", "-c", script, "queuectl-guardian", path, ...selfCommand(), "guard", path],
      {
        // Not where a file system could not be taken off because of it.
        cwd: "/",
        env: withoutMark(environment),
        detached: true,
        ...(cgroup === undefined ? {} : { cgroup }),
        stdio: ["ignore", "ignore", "ignore"],
      },
    );
    started.unref();
    return started;
  }

  /** In place and always as long, so that a full disk is no hindrance. */
  function write(moment: number): void {
    try {
      writeSync(descriptor, momentLine(moment), 0);
    } catch (error) {
      // Then the guardian acts too early rather than too late.
      if (!isSystemError(error)) throw error;
    }
  }

  const hasActed = () => holderOf(journal) === "guardian";
  const isGone = () => child.exitCode !== null || child.signalCode !== null;

  return {
    renew(moment) {
      write(moment);
      if (isGone() && !hasActed()) child = start();
    },
    hasActed,
    dismiss() {
      rmSync(path, { force: true });
      closeSync(descriptor);
      dropCustody(journal);
      if (!isGone()) process.kill(-child.pid, "SIGKILL");
    },
  };
}

/**
 * Reads the moment and the time since the machine's start, in hundredths of a second, and sleeps in between. macOS sets the moment of
 * its start along with its clock, so that the difference goes on steadily there too. A moment that is just being written is read once
 * more.
 */
const script = `
lease=$1; shift
now() {
  if [ -r /proc/uptime ]; then read -r up _ </proc/uptime; up=\${up%.*}\${up#*.}
  else up=$(sysctl -n kern.boottime); up=\${up#*sec = }; up=$((($(date +%s) - \${up%%,*}) * 100)); fi
}
while read -r at again <"$lease"; do
  [ "$at" = "$again" ] || continue
  now
  left=$((at - up - ${guardianEarlyMs / 10}))
  if [ $left -le 0 ]; then
    "$@"
    [ $? -eq ${guardStatus.renewed} ] || exit
    continue
  fi
  [ $left -gt ${lookMs / 10} ] && left=${lookMs / 10}
  [ $left -lt 10 ] && left=10
  sleep "\${left%??}.\${left#"\${left%??}"}"
done
`;
