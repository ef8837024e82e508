// Runs the floor of drain and contend on a home with waiting jobs.

import { built } from "./built.ts";
import { type Home, printedBytes } from "./program.ts";
import { proved } from "./rounds.ts";

/** Milliseconds until all waiting jobs, which print a byte each, are settled by so many processes with so many workers each. */
export async function storedLoops(home: Home, processes: number, count: number): Promise<number> {
  const { pending } = await home.json("status");
  const program = built("bench", "programs", "stored-loop.ts");
  const loops = Array.from({ length: processes }, () =>
    Bun.spawn([program, home.path, String(count)], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    }),
  );
  // Their first word is that they are ready.
  await Promise.all(loops.map(({ stdout }) => stdout.getReader().read()));
  const begun = performance.now();
  for (const { stdin } of loops) void stdin.end();
  await Promise.all(loops.map(({ exited }) => exited));
  const ms = performance.now() - begun;
  proved("jobs completed by the floor", (await home.json("status")).completed, pending);
  proved("what the floor's jobs printed", printedBytes(home), pending);
  return ms;
}
