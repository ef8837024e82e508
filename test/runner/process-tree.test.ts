// What a command started is ended, also of many commands at once.

import { expect, test } from "bun:test";
import { endTree, type ProcessTree } from "../../src/runner/process-tree.ts";
import { tempFolder } from "../support/temp-home.ts";

const graceMs = 500;

function startStubborn(home: string, run: string): ProcessTree {
  const { pid } = Bun.spawn(["/bin/sh", "-c", "trap '' TERM; sleep 60; true"], {
    env: { ...process.env, QUEUECTL_HOME: home, QUEUECTL_RUN: run },
    detached: true,
    stdio: ["ignore", "ignore", "ignore"],
  });
  return { group: pid, mark: { home, run }, cgroup: null };
}

test("to end two hundred commands that want to be killed takes little longer than to end one", async () => {
  using folder = tempFolder();
  const endAll = async (trees: readonly ProcessTree[]) => {
    // Until they ignore TERM.
    await Bun.sleep(500);
    const before = performance.now();
    const survivors = await Promise.all(trees.map((tree) => endTree(tree, "everything", graceMs)));
    expect(survivors.flat()).toEqual([]);
    return performance.now() - before;
  };
  const one = await endAll([startStubborn(folder.path, "1.1")]);
  const all = await endAll(
    Array.from({ length: 200 }, (_, place) => startStubborn(folder.path, `${place}.2`)),
  );
  expect(all - one).toBeLessThan(2_500);
}, 60_000);
