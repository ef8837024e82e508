// The source does what the compiled program does, which other tests run: the seeds' command lines, as `bun queuectl` in a clone.

import { expect, setDefaultTimeout, test } from "bun:test";
import { resolve } from "node:path";

setDefaultTimeout(180_000);

test("the seeds' command lines work from source", async () => {
  const child = Bun.spawn([process.execPath, "test", "test/cli/seeds.test.ts"], {
    cwd: resolve(import.meta.dir, ".."),
    env: { ...process.env, QUEUECTL_TESTED: "source" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  const failed = `${stdout}${stderr}`.split("\n").filter((line) => line.startsWith("(fail)"));
  expect({ status: await child.exited, failed }).toEqual({ status: 0, failed: [] });
});
