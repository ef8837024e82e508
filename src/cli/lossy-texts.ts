// Bytes that are no UTF-8 text. Bun reads each of them in words, in the folder and in the environment as U+FFFD, so that a command would
// name another file; what the system was really given is looked at, where it shows that (Linux).

import { isUtf8 } from "node:buffer";
import { readFileSync, readlinkSync } from "node:fs";
import { misuse } from "../domain/errors.ts";

/** Refuses words, a folder and a home that are not what was given. */
export function refuseLossyTexts(): void {
  if (process.platform !== "linux") return;
  if (!isUtf8(readFileSync("/proc/self/cmdline")))
    throw misuse(
      "a word has bytes that are no UTF-8 text, and would be stored as another one",
      "rename the file, or have the command find it by a pattern: 'rm -- na*me'",
    );
  if (!isUtf8(readlinkSync("/proc/self/cwd", "buffer")))
    throw misuse(
      "the name of this folder is no UTF-8 text, and jobs would look for another one",
      "rename it",
    );
  if (!isUtf8(homeGiven()))
    throw misuse("QUEUECTL_HOME is no UTF-8 text, and would be another folder", "name a folder that is");
}

function homeGiven(): Buffer {
  const environ = readFileSync("/proc/self/environ");
  const at = `\0${environ.toString("latin1")}`.indexOf("\0QUEUECTL_HOME=");
  return at < 0 ? Buffer.of() : environ.subarray(at, environ.indexOf(0, at));
}
