// What a guardian does when its moment is near: waits for the last word of the worker, and ends the worker's commands if none comes
// and no other worker has taken them over.

import { readFileSync, rmSync } from "node:fs";
import { endJournaled } from "../runner/journal-remains.ts";
import { dropCustody, holderOf, journalsOf, takeAsGuardian } from "./custody.ts";
import { steadyNow } from "./lease.ts";

/** How long before its moment a guardian gets ready: starting queuectl takes a while on a busy machine. */
export const guardianEarlyMs = 2_000;

/** How `queuectl guard` tells the shell that called it how it went on. `renewed` is EX_TEMPFAIL of sysexits(3). */
export const guardStatus = { done: 0, renewed: 75 } as const;

/** The file in which a worker process says when its guardian has to act, beside its journal. */
export const leaseFile = (journal: string) => journal.replace(/\.journal$/, ".lease");

const journalOf = (leasePath: string) => leasePath.replace(/\.lease$/, ".journal");

/** A moment by `steadyNow`, in hundredths of a second, twice: who reads while it is written sees two different ones. */
export function momentLine(moment: number): string {
  const text = String(Math.floor(moment / 10)).padStart(15);
  return `${text} ${text}\n`;
}

/** Undefined when the worker has left in order, or has not come so far as to write. */
function readMoment(leasePath: string): number | undefined {
  for (;;) {
    let words: string[];
    try {
      words = readFileSync(leasePath, "utf8").trim().split(/\s+/);
    } catch {
      return undefined;
    }
    if (words[0] === "") return undefined;
    if (words[0] === words[1]) return Number(words[0]) * 10;
  }
}

const lookMs = 50;
/** What was started in the very moment of the first look has said so by the second. */
const againMs = 300;

export async function guard(leasePath: string): Promise<keyof typeof guardStatus> {
  const journal = journalOf(leasePath);
  for (;;) {
    const endAt = readMoment(leasePath);
    if (endAt === undefined) return "done";
    if (typeof holderOf(journal) === "object") break;
    const left = endAt - steadyNow();
    if (left > guardianEarlyMs) return "renewed";
    if (left > 0) {
      await Bun.sleep(Math.min(left, lookMs));
      continue;
    }
    if (!takeAsGuardian(journal) && holderOf(journal) !== "guardian") continue;
    // A worker that renews looks for this act afterwards, and one that has just done so is left alone: either sees the other.
    if ((readMoment(leasePath) ?? 0) > steadyNow()) {
      dropCustody(journal);
      continue;
    }
    await endAll(journalsOf(journal));
    break;
  }
  rmSync(leasePath, { force: true });
  return "done";
}

async function endAll(journals: readonly string[]): Promise<void> {
  for (let looks = 0; looks < 2; looks++) {
    const found = await Promise.all(journals.map(endJournaled));
    if (found.some(Boolean)) looks = 0;
    await Bun.sleep(againMs);
  }
}
