// What an enqueue asks of the system, counted and not timed, so that it is the same on every machine: each limit is half as much
// again as it was when it was set. A slip of the start-up path (a library more, a question more to the database) shows here.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { noStrace } from "../support/power-cut.ts";
import { queuectl } from "../support/queuectl.ts";
import { tempFolder } from "../support/temp-home.ts";

/** A line of strace for each call; with the paths that descriptors stand for. */
async function callsOfAnEnqueue() {
  using folder = tempFolder();
  const trace = join(folder.path, "trace");
  const through = [..."strace -f -y -qq -e signal=none -e trace=%file,%desc -o".split(" "), trace];
  await using queue = queuectl({}, through);
  // The first one makes the database.
  await queue.ok("enqueue", "true");
  await queue.ok("enqueue", "true");
  const calls = readFileSync(trace, "latin1")
    .split("\n")
    .filter((line) => !line.includes(" resumed>"));
  return { calls, home: queue.home };
}

test.skipIf(noStrace !== undefined)("an enqueue asks no more of the system than it did", async () => {
  const { calls, home } = await callsOfAnEnqueue();
  const those = (pattern: RegExp) => calls.filter((call) => pattern.test(call)).length;
  const onTheHome = calls.filter((call) => call.includes(home)).length;
  const costs = [
    // None by the binary, which has them in itself.
    { of: "source files read", count: those(/ openat\(.*\.(tsx?|js|sql)"/), atMost: 30 },
    { of: "syncs", count: those(/ f(data)?sync\(/), atMost: 7 },
    // Each transaction takes some, and each statement that stands alone.
    { of: "locks on the database", count: those(/ fcntl\(.*, F_SETLK,/), atMost: 51 },
    { of: "calls on the home", count: onTheHome, atMost: 201 },
  ];
  expect(costs.filter(({ count, atMost }) => count > atMost)).toEqual([]);
  // Who finds nothing counts nothing.
  expect(onTheHome).toBeGreaterThan(0);
});
