// The worker that a word names: its id, or an unambiguous beginning of it, with or without `worker-`.

import { Refusal, shown } from "../domain/errors.ts";
import { isId } from "../domain/id.ts";

export function findWorker(word: string, ids: readonly string[]): string {
  const matches = (id: string) => id.startsWith(word) || id.startsWith(`worker-${word}`);
  const found = ids.includes(word) ? [word] : ids.filter(matches);
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new Refusal("ambiguous", `${word} could be ${found.join(", ")}`, "type more of the id");
  throw new Refusal(
    "not_found",
    `there is no worker ${isId(word) ? word : shown(word)}`,
    "queuectl worker list shows the workers there are",
  );
}
