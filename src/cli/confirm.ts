// A question before something that cannot be undone.

import { misuse } from "../domain/errors.ts";
import { isTerminal } from "./output.ts";
import type { Flag } from "./words.ts";

export const yesFlag: Flag = ["--yes", "Do not ask"];

/** Asks on a terminal; elsewhere nobody can answer, and `--yes` must have been said. */
export function confirmed(question: string, { yes }: { yes?: boolean }): boolean {
  if (yes) return true;
  if (!isTerminal(0) || !isTerminal(2)) {
    throw misuse("this asks before it acts, and nobody is here to answer", "add --yes to mean it");
  }
  return /^y(es)?$/i.test(prompt(`${question} [y/N]`)?.trim() ?? "");
}
