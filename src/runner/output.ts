// An attempt's log. The command writes to the file itself, stdout and stderr through one descriptor, so their order is kept
// and nothing of it passes through us; we only see to it that the file does not grow for ever.

import { closeSync, constants, openSync, statSync, truncateSync } from "node:fs";
import { ensureFolderOf, fileMode } from "../home.ts";

/** How often a running attempt's log is measured: it may overshoot its limit by what is written in between. */
const measureMs = 200;

export interface OutputLog extends Disposable {
  readonly descriptor: number;
}

/**
 * Opens a log for a command to write to, empty: an attempt never starts twice, so what is there was left by another queue whose
 * backup this one is. Our own descriptor is of no use once the command has its own.
 */
export function openLog(path: string): OutputLog {
  const descriptor = openFile(path);
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}

export interface SizeWatch extends Disposable {
  /** The final size, after cutting what is beyond the limit. */
  finish(): { readonly log_bytes: number; readonly log_truncated: boolean };
}

/** Cuts a growing file at a limit. Writing goes on at the cut, because the file is open for appending. */
export function watchSize(path: string, limit: () => number): SizeWatch {
  let truncated = false;
  const measure = () => {
    try {
      const { size } = statSync(path);
      const most = limit();
      if (size <= most) return size;
      truncateSync(path, most);
      truncated = true;
      return most;
    } catch {
      // The log was taken away while the command ran; the command goes on.
      return 0;
    }
  };
  const timer = setInterval(measure, measureMs);
  return {
    finish() {
      clearInterval(timer);
      return { log_bytes: measure(), log_truncated: truncated };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

const forAppending = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;

function openFile(path: string): number {
  try {
    return openSync(path, forAppending, fileMode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    ensureFolderOf(path);
    return openSync(path, forAppending, fileMode);
  }
}
