// Exit statuses as people list them: `75`, or `75,100-110`.

import { misuse } from "./errors.ts";

/** How a list may be written, for messages. */
export const statusForms = "exit statuses from 0 to 255 such as 75 or 75,100-110";

const part = /^\s*(\d{1,3})\s*(?:-\s*(\d{1,3})\s*)?$/;

/** Nobody needs more to name any of 256. */
const longest = 1000;

/** The statuses a list names; undefined when the text is no such list. */
export function parseStatuses(text: string): ReadonlySet<number> | undefined {
  const statuses = new Set<number>();
  if (text.length > longest) return undefined;
  for (const one of text.split(",")) {
    const [, from, to = from] = part.exec(one) ?? [];
    const [first, last] = [Number(from), Number(to)];
    if (!(first <= last && last <= 255)) return undefined;
    for (let status = first; status <= last; status++) statuses.add(status);
  }
  return statuses;
}

/** The same of a list that has a name; refuses what is none. */
export function readStatuses(name: string, text: unknown): ReadonlySet<number> {
  const statuses = typeof text === "string" ? parseStatuses(text) : undefined;
  if (!statuses) throw misuse(`${name} cannot be ${JSON.stringify(text)}: it is ${statusForms}`);
  return statuses;
}
