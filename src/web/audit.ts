// Who changed what by the dashboard or the API: a JSON line for each, in a file that only its owner may read.

import { appendFileSync, closeSync, fstatSync, openSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { isoTime } from "../domain/time.ts";
import { ensureFolderOf, fileMode } from "../home.ts";
import { readAt } from "../store/logs.ts";

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
  /** Who enqueued a job by the dashboard or the API; undefined for any other, and for those that are long ago. */
  enqueuedBy(job: { readonly id: string; readonly created_at: number }): string | undefined;
}

const auditPath = (home: string) => join(home, "logs", "web-audit.log");

/** The file is renamed to `….1` when it has grown to this many bytes. */
const rotateBytes = 10 * 1024 ** 2;

export function openAudit(home: string): Audit {
  const path = auditPath(home);
  const lookUp = enqueuedBy(path);
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
    enqueuedBy: lookUp,
  };
}

/** Jobs whose enqueuer is kept in mind. */
const mostRemembered = 20_000;

/** A deed is written down right after it was done. An id that was used again later is another job's. */
const writtenWithinMs = 60_000;

/** Reads what was added to the file since it was last asked, also by other servers of this home. */
function enqueuedBy(path: string): Audit["enqueuedBy"] {
  const known = new Map<string, { readonly who: string; readonly at: number }>();
  let file = "";
  let read = 0;

  function readOn(): void {
    const audit = openSync(path, "r");
    try {
      const { ino, size } = fstatSync(audit);
      if (file !== String(ino) || size < read) read = 0;
      file = String(ino);
      const bytes = readAt(audit, read, size - read);
      const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
      read += whole.length;
      for (const line of whole.toString().split("\n")) if (line.includes('"action":"enqueue"')) learn(line);
    } finally {
      closeSync(audit);
    }
  }

  function learn(line: string): void {
    const { at, who, ids } = deedIn(line);
    for (const id of ids) known.set(id, { who, at: Date.parse(at) });
    for (const oldest of known.keys()) {
      if (known.size <= mostRemembered) break;
      known.delete(oldest);
    }
  }

  return ({ id, created_at }) => {
    try {
      readOn();
    } catch {
      // There is no file yet, or it was just renamed: what is known is known.
    }
    const deed = known.get(id);
    return deed && Math.abs(deed.at - created_at) < writtenWithinMs ? deed.who : undefined;
  };
}

function deedIn(line: string): { at: string; who: string; ids: readonly string[] } {
  try {
    return JSON.parse(line);
  } catch {
    // A full disk cut it short.
    return { at: "", who: "", ids: [] };
  }
}
