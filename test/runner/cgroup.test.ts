// The control groups of a worker process, where the kernel lets us have some.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { openCgroups } from "../../src/runner/cgroup.ts";
import { openJournal } from "../../src/runner/journal.ts";
import { isGone } from "../../src/runner/process-identity.ts";
import { startAttempt } from "../../src/runner/run.ts";
import { tempFolder } from "../support/temp-home.ts";

function ownFolder(): string | undefined {
  using probe = openCgroups();
  const taken = probe.take(undefined);
  return taken === null ? undefined : dirname(taken.path);
}

const folder = ownFolder();

test.skipIf(folder === undefined)(
  "what an earlier process of the same pid left is in nobody's way, and is removed when it is empty",
  async () => {
    const left = join(dirname(folder!), basename(folder!).replace(/^(queuectl-\d+).*$/, "$1-1"));
    for (const path of [left, join(left, "1"), join(left, "2")]) mkdirSync(path);
    const daemon = Bun.spawn(["sleep", "60"], { cgroup: join(left, "1") });
    try {
      using cgroups = openCgroups();
      expect(dirname(cgroups.take(undefined)!.path)).toBe(folder!);
      expect([existsSync(join(left, "1")), existsSync(join(left, "2"))]).toEqual([true, false]);
    } finally {
      daemon.kill("SIGKILL");
      await daemon.exited;
    }
    using _next = openCgroups();
    expect(existsSync(left)).toBe(false);
  },
);

test.skipIf(folder === undefined)("a group that somebody else has removed is given to no command", () => {
  using cgroups = openCgroups();
  const [first, second] = [cgroups.take(undefined)!, cgroups.take(undefined)!];
  cgroups.giveBack(first, false);
  cgroups.giveBack(second, false);
  rmdirSync(second.path);
  expect(cgroups.take(undefined)).toEqual(first);
  cgroups.giveBack(first, false);
  rmdirSync(first.path);
  rmdirSync(dirname(first.path));
  expect(cgroups.take(undefined)).toBeNull();
});

for (const [when, isHeardOf] of [
  ["has ended, unheard of yet", false],
  ["is over", true],
] as const) {
  test.skipIf(folder === undefined)(
    `a KILL that comes when a command ${when} harms no command that runs in its group after it`,
    async () => {
      using home = tempFolder();
      using cgroups = openCgroups();
      const surroundings = { cgroups, journal: openJournal(join(home.path, "a.journal")) };
      const start = (command: string, run: string) =>
        startAttempt(
          {
            command,
            cwd: home.path,
            env: {},
            timeout: 0,
            logPath: join(home.path, run),
            errorPath: null,
            rules: {},
            mark: { home: home.path, run },
            limits: () => effectiveSettings({}, {}),
          },
          surroundings,
        );
      const first = start("exit 3", "1.1");
      // As of a worker that was stopped meanwhile.
      while (!isGone(first.pid!)) Bun.sleepSync(1);
      if (isHeardOf) await first.ended;
      first.kill();
      expect(await first.ended).toMatchObject({ result: "exited", exit_code: 3 });
      expect(await start("exit 0", "2.1").ended).toMatchObject({ result: "exited", exit_code: 0 });
    },
  );
}
