// Which jobs a command is about: those that are named, or all that a filter lets through.

import { misuse } from "../domain/errors.ts";
import type { Flag } from "./words.ts";

export interface WhichOptions {
  readonly tag?: string;
  readonly queue?: string;
  readonly all?: boolean;
}

export const whichFlags = (all: string): readonly Flag[] => [...whichFlagsButAll(all), ["--all", all]];

/** Of what is never done to all there are. */
export const whichFlagsButAll = (all: string): readonly Flag[] => [
  ["--tag <tag>", `${all} with this label`],
  ["--queue <name>", `${all} of this queue`],
];

/** Whether a filter says which; refuses neither and both. `verb` is what is to be done to them, `ways` are the options there are. */
export function isByFilter(
  verb: string,
  words: readonly string[],
  { tag, queue, all = false }: WhichOptions,
  ways = "--tag, --queue or --all",
): boolean {
  const isFilter = all || tag !== undefined || queue !== undefined;
  if (isFilter && words.length > 0) throw misuse(`either ids, or ${ways}, not both`);
  if (!isFilter && words.length === 0) throw misuse(`${verb} which jobs? Say ids, or else ${ways}`);
  if (all && (tag !== undefined || queue !== undefined))
    throw misuse("--all leaves nothing for --tag or --queue");
  return isFilter;
}
