// The floor of drain: starts so many commands, 8 at a time, each with a log file, and stores nothing. `same` starts them as
// queuectl has to, with the shell that keeps a journal and in a control group, so that nothing is lost or left behind.

import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { openCgroups } from "../../src/runner/cgroup.ts";
import { journalingShell } from "../../src/runner/journal.ts";

const [kind, count, folder, command] = process.argv.slice(2) as [string, string, string, string];
const jobs = Number(count);
const logs = join(folder, "logs");
mkdirSync(logs);
const journal = openSync(join(folder, "journal"), "a");
const cgroups = openCgroups();
let next = 0;

async function lane(): Promise<void> {
  for (let job = ++next; job <= jobs; job = ++next) {
    const log = openSync(join(logs, String(job)), "a");
    const child = kind === "bare" ? bare(log) : same(log, job);
    closeSync(log);
    await child.exited;
    if (child.exitCode !== 0) throw new Error(`job ${job} ended with ${child.exitCode}`);
  }
}

const bare = (log: number) =>
  Bun.spawn(["/bin/sh", "-c", command], { detached: true, stdio: ["ignore", log, log] });

function same(log: number, job: number) {
  const cgroup = cgroups.take(undefined);
  const group = cgroup?.path ?? null;
  const child = Bun.spawn(journalingShell(command, `${job}.1`, { cgroup: group, limit: "" }), {
    detached: true,
    stdio: ["ignore", log, log, journal],
    ...(group === null ? {} : { cgroup: group }),
  });
  void child.exited.then(() => cgroup !== null && cgroups.giveBack(cgroup, false));
  return child;
}

await Promise.all(Array.from({ length: 8 }, lane));
cgroups[Symbol.dispose]();
