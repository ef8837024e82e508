// Who changed what by the dashboard or the API: a JSON line for each, in a file that only its owner may read.

import { appendFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { isoTime } from "../domain/time.ts";
import { ensureFolderOf, fileMode } from "../home.ts";

export interface Deed {
  readonly who: string;
  readonly address: string;
  readonly action: string;
  readonly ids?: readonly string[];
  readonly count?: number;
  readonly about?: string;
}

export interface Audit {
  write(deed: Deed): void;
}

export const auditPath = (home: string) => join(home, "logs", "web-audit.log");

/** The file is renamed to `….1` when it has grown to this many bytes. */
const rotateBytes = 10 * 1024 ** 2;

export function openAudit(home: string): Audit {
  const path = auditPath(home);
  return {
    write(deed) {
      try {
        ensureFolderOf(path);
        if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > rotateBytes)
          renameSync(path, `${path}.1`);
        // JSON writes a line end inside a text as \n, so one deed is one line.
        appendFileSync(path, `${JSON.stringify({ at: isoTime(Date.now()), ...deed })}\n`, { mode: fileMode });
      } catch {
        // A full disk must not keep anybody from cancelling the job that fills it.
      }
    },
  };
}
