// Reads what test/programs/ledger.sh wrote: which runs of which job began and ended, in the order in which it happened.

import { existsSync, readFileSync } from "node:fs";

export interface LedgerLine {
  readonly what: "begin" | "end";
  readonly id: string;
  readonly attempt: number;
  readonly pid: number;
}

export function readLedger(path: string): LedgerLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => {
    const [what, id, attempt, pid] = line.split(" ");
    return { what: what as LedgerLine["what"], id: id!, attempt: Number(attempt), pid: Number(pid) };
  });
}

/**
 * The jobs that had two live runs at once: one began while an earlier one had not ended. A run that was killed writes no end;
 * `isOver` says whether such a run was over when the next began (its process gone).
 */
export function overlaps(lines: readonly LedgerLine[], isOver: (run: LedgerLine) => boolean): string[] {
  const live = new Map<string, LedgerLine>();
  const doubled: string[] = [];
  for (const line of lines) {
    const other = live.get(line.id);
    if (line.what === "end") {
      if (other?.pid === line.pid) live.delete(line.id);
      else doubled.push(line.id);
    } else {
      if (other && !isOver(other)) doubled.push(line.id);
      live.set(line.id, line);
    }
  }
  return doubled;
}
