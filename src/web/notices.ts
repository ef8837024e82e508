// What a page says once after something was done. Kept here and named by a random id in the address, so that nobody else can
// make a page say anything.

import { newSecret } from "./tokens.ts";

export interface Notices {
  /** Returns the id to ask for it by. */
  put(text: string): string;
  take(id: string): string | undefined;
}

const mostKept = 200;

export function makeNotices(): Notices {
  const kept = new Map<string, string>();
  return {
    put(text) {
      const id = newSecret().slice(0, 12);
      kept.set(id, text);
      for (const oldest of kept.keys()) {
        if (kept.size <= mostKept) break;
        kept.delete(oldest);
      }
      return id;
    },
    take(id) {
      const text = kept.get(id);
      kept.delete(id);
      return text;
    },
  };
}
