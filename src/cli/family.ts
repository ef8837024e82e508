// The jobs around one as a tree: what it comes after, and what comes after it.

import type { Relative } from "../domain/dependencies.ts";
import type { Store } from "../store/store.ts";

/** Lines of one tree; what is left out is said. */
const mostLines = 40;

/** Lines below a job; none when there is nothing on that side. */
export async function familyTree(store: Store, seq: number, side: "after" | "before"): Promise<string[]> {
  const lines: string[] = [];
  const seen = new Set<number>();

  async function addBelow(parent: number, indent: string): Promise<void> {
    const below: readonly Relative[] = (await store.jobs.relatives(parent, mostLines + 1))[side];
    for (const [n, one] of below.entries()) {
      if (lines.length >= mostLines) {
        if (lines.length === mostLines) lines.push(`${indent}…`);
        return;
      }
      const isLast = n === below.length - 1;
      const isKnown = seen.has(one.seq);
      seen.add(one.seq);
      lines.push(`${indent}${isLast ? "└─" : "├─"} ${one.id}  ${one.state}${isKnown ? " (as above)" : ""}`);
      if (!isKnown) await addBelow(one.seq, `${indent}${isLast ? "   " : "│  "}`);
    }
  }

  await addBelow(seq, "");
  return lines;
}
