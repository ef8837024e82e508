// Tells one process from all others, also when its pid is used again: by its start time, the machine's start, and the
// container it lives in.

import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { isSystemError } from "../domain/errors.ts";
import type { ProcessIdentity } from "../domain/worker.ts";

export function ownIdentity(): ProcessIdentity {
  return { ...here(), pid: process.pid, pid_start: startOf(process.pid) ?? "" };
}

/** - `elsewhere`: on another host or in another container, where nothing here can tell. */
export type Liveness = "alive" | "dead" | "elsewhere";

export function livenessOf(identity: ProcessIdentity): Liveness {
  const { host, boot_id, pid_namespace } = here();
  // Whatever the machine is called: it may be renamed while it runs.
  if (identity.boot_id === boot_id && identity.pid_namespace === pid_namespace)
    return startOf(identity.pid) === identity.pid_start ? "alive" : "dead";
  return identity.host === host && identity.boot_id !== boot_id ? "dead" : "elsewhere";
}

/** Whether a process belongs to this start of this machine, and can be seen from here. */
export function isOfThisMachine({ host, boot_id, pid_namespace }: ProcessIdentity): boolean {
  const own = here();
  return host === own.host && boot_id === own.boot_id && pid_namespace === own.pid_namespace;
}

/**
 * When a living process was started, in the kernel's own words; undefined when it is gone or only a zombie. Throws when it cannot be
 * looked at, for want of descriptors for example: then nobody can say.
 */
export function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return startFromPs(pid);
  const stat = readStat(pid);
  return stat && !isDead(stat.state) ? stat.start : undefined;
}

/** Whether a process is certainly gone, or only a zombie; false where it cannot be looked at. */
export function isGone(pid: number): boolean {
  try {
    return startOf(pid) === undefined;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return false;
  }
}

/** All that Linux shows, zombies included. */
export const allPids = (): number[] =>
  readdirSync("/proc")
    .filter((name) => name >= "0" && name <= "9~")
    .map(Number);

export interface ProcessStat {
  readonly state: string;
  readonly group: number;
  readonly session: number;
  readonly start: string;
}

/** What Linux says of a process, zombies included, as far as it says anything. */
export function statOf(pid: number): ProcessStat | undefined {
  try {
    return readStat(pid);
  } catch {
    return undefined;
  }
}

/** proc_pid_stat(5), fields 3, 5, 6 and 22; undefined when it is gone, or hidden. */
function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch (error) {
    if (isSystemError(error) && ["ENOENT", "ESRCH", "EACCES", "EPERM"].includes(error.code)) return undefined;
    throw error;
  }
  // The second field is the program's name, in parentheses, and may contain anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    state: fields[0]!,
    group: Number(fields[2]),
    session: Number(fields[3]),
    start: fields[19]!,
  };
}

export const isDead = (state: string) => state === "Z" || state === "X";

type Place = Pick<ProcessIdentity, "host" | "boot_id" | "pid_namespace">;
let place: Place | undefined;

function here(): Place {
  place ??= { host: hostname(), boot_id: bootId(), pid_namespace: pidNamespace() };
  return place;
}

function bootId(): string {
  if (process.platform === "linux") return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return output(["sysctl", "-n", "kern.boottime"]);
}

const pidNamespace = () => (process.platform === "linux" ? readlinkSync("/proc/self/ns/pid") : "");

const startFromPs = (pid: number) => output(["ps", "-o", "lstart=", "-p", String(pid)]) || undefined;

const output = (command: string[]) => Bun.spawnSync(command, { stderr: "ignore" }).stdout.toString().trim();
