// Machines on one host: each has a host name and a home folder of its own (Linux: unshare of util-linux, as root or where the
// kernel lets any user make namespaces).

import { type Queuectl, queuectl } from "./queuectl.ts";

/** In a UTS namespace of its own, which has the host name. The words behind keep the pid of unshare. */
export const onHost = (name: string, ...words: readonly string[]): string[] => [
  "unshare",
  "--uts",
  ...(process.getuid?.() === 0 ? [] : ["--map-root-user"]),
  "sh",
  "-c",
  'hostname "$0" && exec "$@"',
  name,
  ...words,
];

const isMissing =
  !Bun.which("unshare") || Bun.spawnSync(onHost("probe", "hostname")).stdout.toString() !== "probe\n";

/** Why there are no machines here; undefined where there are, and under CI, where there must be. */
export const noMachines: string | undefined =
  isMissing && process.env.CI !== "true"
    ? "no host name of its own for a process (unshare --uts)"
    : undefined;

if (noMachines) console.warn(`skipped what needs it: ${noMachines}`);

/** A queuectl that runs on a machine of this name, with the database that `env` names. Its home is its own. */
export const machine = (name: string, env: Readonly<Record<string, string>>): Queuectl =>
  queuectl(env, onHost(name));
