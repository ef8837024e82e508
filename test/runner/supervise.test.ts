// What a command is given that this process did not start, and what it is told to have come to.

import { expect, test } from "bun:test";
import { join } from "node:path";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { supervise } from "../../src/runner/supervise.ts";
import { tempFolder } from "../support/temp-home.ts";

const settings = effectiveSettings({}, {});

/** A command that would run for an hour and has run for `age` seconds, of the `timeout` that its job has. */
function running(folder: string, { age, timeout }: { age: number; timeout: number }) {
  const child = Bun.spawn(["sleep", "3600"], { detached: true, stdio: ["ignore", "ignore", "ignore"] });
  return supervise(
    {
      pid: child.pid,
      cgroup: null,
      age,
      isNew: false,
      exited: child.exited.then(() => ({
        exit_code: child.exitCode,
        signal: child.signalCode === null ? null : String(child.signalCode),
        cpu_time: null,
        peak_memory: null,
      })),
      abandon: () => child.unref(),
    },
    {
      command: "sleep 3600",
      cwd: folder,
      env: {},
      timeout,
      logPath: join(folder, "log"),
      errorPath: null,
      rules: {},
      mark: { home: folder, run: "1.1" },
      limits: () => settings,
    },
  );
}

test("what a command had run before it was taken over counts for its timeout", async () => {
  using folder = tempFolder();
  const ending = await running(folder.path, { age: 1800, timeout: 1800 }).ended;
  expect(ending).toMatchObject({ result: "timed_out", exit_code: 124 });
  expect(ending.duration).toBeGreaterThanOrEqual(1800);
});
