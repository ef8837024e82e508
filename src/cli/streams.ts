// The two streams of the command line: data on stdout, talk on stderr.

import { fstatSync, statSync, writeSync } from "node:fs";
import { Refusal, reasonOf, type SystemError } from "../domain/errors.ts";

/** Writes data to stdout (or stderr), whole. False when nobody reads it any more. */
export async function writeOut(data: string | Uint8Array, descriptor: 1 | 2 = 1): Promise<boolean> {
  const bytes = typeof data === "string" ? Buffer.from(data) : data;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return false;
      if (code !== "EAGAIN") throw unwritable(error as SystemError);
      await Bun.sleep(5);
    }
  }
  return true;
}

/** What the command did before it had something to say is not undone by that. */
function unwritable(error: SystemError): Error {
  return new Refusal(
    "unavailable",
    `the output cannot be written: ${reasonOf(error)}`,
    "what the command did stays done; look with queuectl list before it is given again",
  );
}

export const printLine = (line: string) => writeOut(`${line}\n`);

/** The one JSON document of a command. */
export const printJson = (value: unknown) => printLine(JSON.stringify(value, null, 2));

/** What was refused, and what to do about it. */
export const refusalLine = ({ message, advice }: Refusal) =>
  `queuectl: ${message}${advice === undefined ? "" : ` (${advice})`}`;

/** A line of talk: a hint, a warning, progress. */
export function note(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Nobody listens.
  }
}

/**
 * Whether a descriptor is a terminal. The module that knows for sure takes longer to load than an enqueue does, so it is asked
 * only when the answer may be yes.
 */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isCharacterDevice() || stat.rdev === statSync("/dev/null").rdev) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}

/** Talk for somebody who sits there and may not know the next step: fainter than what was asked for. */
export function hint(line: string): void {
  if (!isTerminal(2)) return;
  const isPlain = process.env.NO_COLOR || process.env.TERM === "dumb";
  note(isPlain ? line : `\u001b[2m${line}\u001b[22m`);
}
