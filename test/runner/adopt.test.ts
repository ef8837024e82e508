// What is taken over from a worker that is dead.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { adoptAttempt } from "../../src/runner/adopt.ts";
import { membersOfCgroup, openCgroups } from "../../src/runner/cgroup.ts";
import { tempFolder } from "../support/temp-home.ts";

using probe = openCgroups();
const hasCgroups = probe.take(undefined) !== null;

const settings = effectiveSettings({}, {});

test.skipIf(!hasCgroups)(
  "a command that ended is not told from the one that got its control group after it",
  async () => {
    using folder = tempFolder();
    using cgroups = openCgroups();
    const group = cgroups.take(undefined)!.path;
    const next = Bun.spawn(["sleep", "60"], { cgroup: group });
    try {
      const journalPath = join(folder.path, "journal");
      const gone = Bun.spawnSync(["true"]).pid;
      writeFileSync(journalPath, `1.1 @${gone} ${group}\n1.1 3\n2.1 @${next.pid} ${group}\n`);
      const attempt = await adoptAttempt(
        {
          command: "exit 3",
          cwd: folder.path,
          env: {},
          timeout: 0,
          logPath: join(folder.path, "log"),
          errorPath: null,
          rules: {},
          mark: { home: folder.path, run: "1.1" },
          limits: () => settings,
        },
        { journalPath, pid: gone, pid_start: "1", ranFor: 1, rebooted: false },
      );
      expect(await attempt.ended).toMatchObject({ exit_code: 3, note: null });
      expect(membersOfCgroup(group)).toEqual([next.pid]);
    } finally {
      next.kill("SIGKILL");
      await next.exited;
    }
  },
);
