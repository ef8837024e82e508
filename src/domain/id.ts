// Names of jobs, queues and the like: given by users, or generated to be short enough to type.

import { misuse } from "./errors.ts";

const pattern = /^[A-Za-z0-9_][A-Za-z0-9._:-]{0,63}$/;

export const idRule = "1 to 64 of A-Z a-z 0-9 . _ : -, beginning with a letter, digit or _";

export const isId = (text: string) => pattern.test(text);

export function checkId(id: string): void {
  if (isId(id)) return;
  const named = id.length > 64 ? `an id of ${id.length} characters` : JSON.stringify(id);
  throw misuse(`${named} is not a job id: ${idRule}`);
}

/** Crockford's base 32: no letter that reads like a digit or another letter. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * An id of as many characters as there are random bytes, 5 bits each. With 10 of them a million jobs collide with
 * a chance below one in two thousand, and the store then draws again; a prefix of five is nearly always enough to type.
 */
export function idFromBytes(bytes: Uint8Array): string {
  let id = "";
  for (const byte of bytes) id += alphabet[byte & 31];
  return id;
}

export const jobIdBytes = 10;
export const workerIdBytes = 6;
