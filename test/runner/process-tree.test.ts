// What a command started is ended, also of many commands at once.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { endTree, type ProcessTree } from "../../src/runner/process-tree.ts";
import { tempFolder } from "../support/temp-home.ts";

const graceMs = 500;

/** Fulfilled when it ignores TERM. */
async function startStubborn(home: string, run: string): Promise<ProcessTree> {
  const { pid, stdout } = Bun.spawn(["/bin/sh", "-c", "trap '' TERM; echo; exec >&-; sleep 60; true"], {
    env: { ...process.env, QUEUECTL_HOME: home, QUEUECTL_RUN: run },
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  await stdout.text();
  return { group: pid, mark: { home, run }, cgroup: null };
}

/** How often this process has read of anything, `/proc` above all. */
const reads = () => Number(/^syscr: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))![1]);

// Elsewhere than on Linux there is no /proc to be read.
test.skipIf(process.platform !== "linux")(
  "two hundred commands that want to be killed are ended with the looks at all processes of a few",
  async () => {
    using folder = tempFolder();
    const readsToEnd = async (trees: readonly ProcessTree[]) => {
      const before = reads();
      const survivors = await Promise.all(trees.map((tree) => endTree(tree, "everything", graceMs)));
      expect(survivors.flat()).toEqual([]);
      return reads() - before;
    };
    const one = await readsToEnd([await startStubborn(folder.path, "1.1")]);
    const all = await readsToEnd(
      await Promise.all(Array.from({ length: 200 }, (_, place) => startStubborn(folder.path, `${place}.2`))),
    );
    expect(all).toBeLessThan(20 * one);
  },
  60_000,
);
