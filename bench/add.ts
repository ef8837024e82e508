// add: `queuectl enqueue true` as a whole process, from source and as one binary, against a Bun that does nothing.

import { join, resolve } from "node:path";
import type { Bench } from "./bench.ts";
import { type Home, newHome, run } from "./program.ts";
import { type Contender, inTurn, proved, type Samples } from "./rounds.ts";
import { scratch } from "./scratch.ts";
import { figure } from "./table.ts";

const rounds = 60;

export const bench: Bench = async () => {
  const fromSource = newHome();
  const fromBinary = newHome([await builtBinary()]);
  // The first job of a home makes its database.
  for (const home of [fromSource, fromBinary]) await home.queuectl(["enqueue", "true"]);
  const [source, binary, floor] = (await inTurn(rounds, [
    adding("source", fromSource),
    adding("binary", fromBinary),
    { name: "bun -e 0", run: async () => (await run([process.execPath, "-e", "0"])).ms },
  ])) as [Samples, Samples, Samples];
  for (const home of [fromSource, fromBinary]) {
    proved("jobs that wait", (await home.json("status")).pending, rounds + 1);
  }
  const compared = { bench: "add", unit: "ms", theirs: floor };
  return [
    figure({ ...compared, work: "queuectl enqueue true, binary", ours: binary, bound: { atMost: 1.4 } }),
    figure({ ...compared, work: "queuectl enqueue true, source", ours: source, bound: { atMost: 2 } }),
  ];
};

const adding = (name: string, home: Home): Contender => ({
  name,
  run: async () => (await home.queuectl(["enqueue", "true"])).ms,
});

/** Built as package.json says, but not over the one that somebody may be running. */
async function builtBinary(): Promise<string> {
  const root = resolve(import.meta.dir, "..");
  const path = join(scratch("binary"), "queuectl");
  const { scripts } = await Bun.file(join(root, "package.json")).json();
  const words = scripts.build.replace("dist/queuectl", path).split(" ").slice(1);
  await run([process.execPath, ...words], { cwd: root });
  return path;
}
