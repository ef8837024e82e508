// A word that users choose from a few.

import { misuse, shown } from "./errors.ts";

/** The word that a text is; refuses what is none of them. `what` is what messages call it. */
export function oneOf<T extends string>(what: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found) return found;
  throw misuse(`${what} cannot be ${shown(text)}: it is ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);
}
