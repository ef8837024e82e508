// The control groups of a worker process, where the kernel lets us have some.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { openCgroups } from "../../src/runner/cgroup.ts";

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
