// add: `queuectl enqueue true` as a whole process, from source and as one binary, against a Bun that does nothing and against one
// file that does the same.

import { join, resolve } from "node:path";
import type { Bench } from "./bench.ts";
import { built } from "./built.ts";
import { newHome, run } from "./program.ts";
import { inTurn, proved, type Samples } from "./rounds.ts";
import { figure } from "./table.ts";

const rounds = 60;

const root = resolve(import.meta.dir, "..");
const bare = ["bench", "programs", "bare-add.ts"] as const;

export const bench: Bench = async () => {
  const programs = [
    { name: "source", words: [process.execPath, join(root, "queuectl.ts")] },
    { name: "binary", words: [built("queuectl.ts")] },
    { name: "one file, source", words: [process.execPath, join(root, ...bare)] },
    { name: "one file, binary", words: [built(...bare)] },
  ];
  const contenders = programs.map(({ name, words }) => ({ name, home: newHome(words) }));
  // The first job of a home makes its database.
  for (const { home } of contenders) await newHome().queuectl(["enqueue", "true"], { env: home.env });
  const [nothing, source, binary, bareSource, bareBinary] = (await inTurn(rounds, [
    { name: "bun -e 0", run: async () => (await run([process.execPath, "-e", "0"])).ms },
    ...contenders.map(({ name, home }) => ({
      name,
      run: async () => (await home.queuectl(["enqueue", "true"])).ms,
    })),
  ])) as [Samples, Samples, Samples, Samples, Samples];
  for (const { home } of contenders) {
    const status = await newHome().queuectl(["status", "--json"], { env: home.env });
    proved("jobs that wait", JSON.parse(status.stdout).pending, nothing.values.length + 1);
  }
  const add = (work: string, ours: Samples, theirs: Samples, atMost?: number) =>
    figure({ bench: "add", unit: "ms", work, ours, theirs, ...(atMost && { bound: { atMost } }) });
  return [
    add("queuectl enqueue true, binary", binary, nothing, 1.4),
    add("queuectl enqueue true, source", source, nothing, 2),
    add("the same in one file, binary", bareBinary, nothing),
    add("the same in one file, source", bareSource, nothing),
    add("queuectl enqueue true, binary", binary, bareBinary, 1.1),
    add("queuectl enqueue true, source", source, bareSource, 1.1),
  ];
};
