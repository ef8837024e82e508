// Keys by which jobs have to do with each other: of all with one `key` one runs at a time, and of those with one unique key no
// second one is stored.

import { formatDuration, written } from "./duration.ts";
import { misuse, shown } from "./errors.ts";
import { defaultQueue } from "./plain-job.ts";

/** A key may be anything that fits on a line, such as a path or an address. */
export function checkKey(key: string): void {
  if (!/^[^\p{Cc}]{1,200}$/u.test(key) || key.trim() === "" || !key.isWellFormed()) {
    throw misuse(`key ${shown(key)} is not 1 to 200 characters on one line`);
  }
}

/** Of a job that is enqueued once: whoever enqueues the same again gets the one that is there. */
export interface Unique {
  /** Jobs of one key are the same. */
  readonly key: string;
  /** Besides any that is not settled, one that was enqueued within so many seconds counts, whatever became of it. */
  readonly seconds: number;
}

/** Without a key it is made of the job's command, queue and directory. */
export interface UniqueRequest extends Omit<Unique, "key"> {
  readonly key?: string | undefined;
}

/** What a job's JSON says of it. */
export interface UniqueKeys {
  /** A key, or true for one that is made of the job; with false it is not unique, whatever else is said. */
  readonly unique?: string | boolean | null | undefined;
  readonly unique_for?: number | undefined;
}

export function uniqueIn({ unique, unique_for }: UniqueKeys): UniqueRequest | undefined {
  if (unique === false || (unique ?? unique_for) === undefined) return undefined;
  return { key: typeof unique === "string" ? unique : undefined, seconds: unique_for ?? 0 };
}

const longestUnique = 366 * 86_400;

interface Asked {
  readonly command: string;
  readonly queue?: string | undefined;
  readonly cwd?: string | undefined;
}

export const uniqueOf = (
  { queue = defaultQueue, command, cwd }: Asked,
  { key, seconds }: UniqueRequest,
): Unique => ({
  // A user's key is never that of a job without one.
  key: key === undefined ? `job ${digest(JSON.stringify([queue, cwd, command]))}` : `key ${key}`,
  seconds,
});

const digest = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");

export function checkUnique({ key, seconds }: Unique): void {
  checkKey(key.slice("key ".length));
  if (!(seconds >= 0 && seconds <= longestUnique))
    throw misuse(`unique_for cannot be ${written(seconds)}: it is 0 to ${formatDuration(longestUnique)}`);
}
