// queuectl demo: a queue full of work in a folder of its own, with workers and the dashboard, all of it gone in the end.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newJob } from "../../domain/job.ts";
import { defaultsFrom } from "../../domain/plain-job.ts";
import { checkSchedule } from "../../domain/schedule.ts";
import { ownZone } from "../../domain/zone.ts";
import { folderMode } from "../../home.ts";
import { firstTime } from "../../input/cron.ts";
import type { Environment } from "../../self.ts";
import { onStopSignals } from "../../worker/shutdown.ts";
import type { Commands } from "../command.ts";
import { type Context, contextIn } from "../context.ts";
import { demoPrograms } from "../demo/programs.ts";
import { demoJobs, demoSchedules } from "../demo/work.ts";
import { done, notDone } from "../exit-status.ts";
import { isTerminal, note } from "../output.ts";
import { serveDashboard } from "./web.ts";
import { workerStart } from "./worker-start.ts";
import { workerStop } from "./worker-stop.ts";

export const commands: Commands = {
  demo: {
    flags: [
      ["--port <n>", "Of the dashboard; any free one by default"],
      ["--keep", "Leave the folder there"],
    ],
    run: demo,
  },
};

interface DemoOptions {
  readonly port?: string;
  readonly keep?: boolean;
}

async function demo(
  { environment }: Context,
  _words: readonly string[],
  { port = "0", keep }: DemoOptions,
): Promise<number> {
  let stopped = false;
  using _signals = onStopSignals(() => {
    stopped = true;
  });
  const home = mkdtempSync(join(tmpdir(), "queuectl-demo-"));
  const scratch = contextIn({ ...withoutQueue(environment), QUEUECTL_HOME: home }, join(home, "work"));
  let ended = true;
  try {
    await fill(scratch);
    if (stopped) return done;
    let working: Promise<number> | undefined;
    try {
      await serveDashboard(scratch, { port, label: "demo" }, ({ url }) => {
        working = workerStart(scratch, [], { count: "4", quiet: true });
        ended = false;
        tell(home, url, environment);
      });
    } finally {
      if (working) {
        // Also those that were started by the dashboard.
        ended = (await workerStop(scratch, [], { force: true, wait: true, timeout: "30" })) === done;
        if (ended) await working;
      }
    }
  } finally {
    if (keep || !ended) note(`kept: export QUEUECTL_HOME=${home}`);
    else rmSync(home, { recursive: true, force: true });
  }
  return ended ? done : notDone;
}

/** The demo has nothing to do with the queue and the settings of whoever calls it. */
const withoutQueue = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("QUEUECTL_")));

async function fill(context: Context): Promise<void> {
  mkdirSync(context.cwd, { mode: folderMode });
  for (const [name, script] of Object.entries(demoPrograms))
    writeFileSync(join(context.cwd, name), script, { mode: folderMode });
  await using store = await context.openStore();
  await store.settings.set("kill_grace", "1");
  const defaults = defaultsFrom(await context.settings(store), context);
  const now = await store.now();
  for (const request of demoJobs(now)) await store.jobs.enqueue(newJob(request, defaults));
  const schedules = demoSchedules.map(({ name, cron, job }) => {
    const { id: _id, run_at: _run_at, ...repeated } = newJob(job, defaults);
    const tz = ownZone();
    const rule = { name, cron, tz, missed: "one", overlap: "skip", jitter: 0 } as const;
    return checkSchedule({ ...rule, job: repeated, next_at: firstTime(cron, tz, now) });
  });
  await store.schedules.add(schedules);
}

function tell(home: string, url: string, environment: Environment): void {
  note("a queue of its own, with four workers; your own queue is not touched");
  note(`look at it from another terminal too: QUEUECTL_HOME=${home} queuectl status --watch`);
  note("Ctrl-C ends it, and removes it");
  const opener = browserOpener(environment);
  if (opener && isTerminal(1))
    Bun.spawn([opener, url], { stdin: "ignore", stdout: "ignore", stderr: "ignore" }).unref();
}

/** Who opens a page, where there is a screen to show it on. */
function browserOpener({ DISPLAY, WAYLAND_DISPLAY, SSH_CONNECTION }: Environment): string | null {
  if (process.platform === "darwin") return SSH_CONNECTION ? null : Bun.which("open");
  return DISPLAY || WAYLAND_DISPLAY ? Bun.which("xdg-open") : null;
}
