// The benchmark suite: `bun run bench` runs all benches, `bun run bench drain` one; `--json` prints the figures as JSON. Each
// bench makes its own data in folders that are removed at the very end, because a file system that has just removed thousands
// of files is slow at making new ones.

import { removeScratch } from "./scratch.ts";
import { type Figure, tableOf } from "./table.ts";

/** Quick ones first; those that leave millions of rows behind last. */
const names = [
  "add",
  "start",
  "cycle",
  "bulk",
  "drain",
  "contend",
  "flat",
  "dashboard",
  "memory",
  "postgres",
] as const;

const benches: Readonly<Record<(typeof names)[number], () => Promise<{ bench: Bench }>>> = {
  add: () => import("./add.ts"),
  start: () => import("./start.ts"),
  cycle: () => import("./cycle.ts"),
  bulk: () => import("./bulk.ts"),
  drain: () => import("./drain.ts"),
  contend: () => import("./contend.ts"),
  flat: () => import("./flat.ts"),
  dashboard: () => import("./dashboard.ts"),
  memory: () => import("./memory.ts"),
  postgres: () => import("./postgres.ts"),
};

export type Bench = () => Promise<readonly Figure[]>;

const words = process.argv.slice(2);
const asked = words.filter((word) => word !== "--json");
const unknown = asked.filter((word) => !(word in benches));
if (unknown.length > 0) {
  console.error(`there is no bench ${unknown.join(", ")}; there are ${names.join(", ")}`);
  process.exit(2);
}

const figures: Figure[] = [];
const failures: string[] = [];
try {
  for (const name of names.filter((one) => asked.length === 0 || asked.includes(one))) {
    const begun = performance.now();
    try {
      const { bench } = await benches[name]();
      figures.push(...(await bench()));
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
    console.error(`${name}: ${((performance.now() - begun) / 1000).toFixed(0)} s`);
  }
} finally {
  removeScratch();
}
console.log(words.includes("--json") ? JSON.stringify({ figures, failures }, null, 2) : tableOf(figures));
for (const failure of failures) console.error(`no figure: ${failure}`);
process.exit(failures.length === 0 ? 0 : 1);
