// The jobs of a torture run, the dice it is thrown by, and what it says at its end.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** JSON Lines: a tenth of the jobs fails always, a tenth fails at first; some are slow, all are short. */
export function jobsOf(folder: string, count: number, random: () => number): string {
  mkdirSync(join(folder, "locks"), { recursive: true });
  const job = join(import.meta.dir, "job.sh");
  const lines = Array.from({ length: count }, (_, n) => {
    const seconds = random() < 0.05 ? 1 + random() : random() * 0.05;
    const status = n % 10 === 0 ? "1" : n % 10 === 1 ? '"$(( QUEUECTL_ATTEMPT == 1 ))"' : "0";
    const command = `'${job}' '${folder}' ${seconds.toFixed(3)} ${status}`;
    return JSON.stringify({ id: `j${n}`, command, max_retries: 2, priority: 1 + (n % 5), cwd: folder });
  });
  return lines.join("\n");
}

/** Prints the figures, and each breach. */
export function report(
  figures: Readonly<Record<string, unknown>> & { readonly jobs: number; readonly seconds: number },
  breaches: readonly string[],
  folder: string,
): void {
  for (const [name, value] of Object.entries(figures)) {
    console.log(`${name.padEnd(12)} ${typeof value === "number" ? Math.round(value * 10) / 10 : value}`);
  }
  console.log(`${"jobs/s".padEnd(12)} ${Math.round(figures.jobs / figures.seconds)}`);
  for (const breach of breaches.slice(0, 20)) console.log(`BREACH: ${breach}`);
  console.log(
    breaches.length === 0
      ? "nothing lost, nothing doubled, nothing left"
      : `${breaches.length} breaches; see ${folder}`,
  );
}

/** A small random generator with a seed: https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
