// Who may act on the commands of a worker process that is gone, where leases end: its guardian, to end them, or the worker that takes
// them over, to watch them on. Beside the journal stands then, made once and by one act, a link that says who: `guardian`, or the
// journal of the taker. What a taker has taken it may lose in turn, so these links make a chain.

import { readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const ending = ".custody";
const guardian = "guardian";

const custodyPath = (journal: string) => journal.replace(/\.journal$/, ending);

export type Holder = "nobody" | "guardian" | { readonly journal: string };

export function holderOf(journal: string): Holder {
  let name: string;
  try {
    name = readlinkSync(custodyPath(journal));
  } catch {
    return "nobody";
  }
  return name === guardian ? "guardian" : { journal: join(dirname(journal), name) };
}

/** False when somebody else was first. `by`: the taker's journal, in the same folder. */
function take(journal: string, by: string): boolean {
  try {
    symlinkSync(basename(by), custodyPath(journal));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** For the guardian of the commands that write to this journal, and to those that its worker took over. */
export const takeAsGuardian = (journal: string): boolean => take(journal, guardian);

/** Takes a custody back that was not used, or that nobody needs any more. */
export const dropCustody = (journal: string): void => rmSync(custodyPath(journal), { force: true });

/**
 * For a worker that was given a job whose command writes to `journal`: whether the command is its own to watch on. Otherwise
 * the guardian ends it. The two may have come to the folder by different ways.
 */
export function takeAsWorker(journal: string, by: string): boolean {
  for (let at = journal; ; ) {
    const holder = holderOf(at);
    if (holder === "guardian") return false;
    if (holder === "nobody") {
      if (take(at, by)) return true;
    } else if (basename(holder.journal) === basename(by)) return true;
    else at = holder.journal;
  }
}

/** The journals that the commands of a worker process write to: its own, and those of processes that it took over from. */
export function journalsOf(journal: string): string[] {
  const folder = dirname(journal);
  const held = readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, `${name.slice(0, -ending.length)}.journal`))
    .filter((other) => {
      const holder = holderOf(other);
      return typeof holder === "object" && holder.journal === journal;
    });
  return [journal, ...held.flatMap(journalsOf)];
}
