// Needs a lot of memory for a moment, as a worker may, and then runs a small command. Prints the peak that the attempt is told to have had.

import { join } from "node:path";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { openCgroups } from "../../src/runner/cgroup.ts";
import { openJournal } from "../../src/runner/journal.ts";
import { startAttempt } from "../../src/runner/run.ts";

const [folder] = process.argv.slice(2) as [string];
const megabyte = 1024 ** 2;
new Uint8Array(200 * megabyte).fill(1);
while (process.memoryUsage.rss() > 150 * megabyte) {
  Bun.gc(true);
  await Bun.sleep(10);
}
const settings = effectiveSettings({}, {});
using journal = openJournal(join(folder, "journal"));
using cgroups = openCgroups();
const { ended } = startAttempt(
  {
    command: "true",
    cwd: folder,
    env: {},
    timeout: 0,
    logPath: join(folder, "log"),
    errorPath: null,
    rules: {},
    mark: { home: folder, run: "1.1" },
    limits: () => settings,
  },
  { journal, cgroups },
);
console.log((await ended).peak_memory);
