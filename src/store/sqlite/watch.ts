// Notices that another process committed something: every commit touches the write-ahead log in the database's folder.

import { closeSync, type FSWatcher, openSync, watch as watchFolder } from "node:fs";
import { basename, dirname } from "node:path";
import type { Watch } from "../store.ts";
import type { Connection } from "./connection.ts";

/**
 * A commit is written to the log, synced, and only then seen by others; the folder tells of the writing. So what is not there
 * yet is looked for again, first soon and then later, in milliseconds after the writing.
 */
const looksMs = [1, 2, 4, 8, 16, 32, 64, 128];

/**
 * How long somebody who is in no hurry waits for what has changed, in milliseconds. The folder is not watched meanwhile: one commit
 * writes some twenty times to the log, and each writing would wake every process.
 */
const calmMs = 100;

export function watch({ db, path, plain }: Connection, onChange: () => void): Watch {
  const logName = `${basename(path)}-wal`;
  // Theirs changes with every commit of another connection, ours with what anybody of this process changes by this one.
  const versions = db.prepare<{ theirs: number; ours: number }, []>(
    "select data_version as theirs, total_changes() as ours from pragma_data_version",
  );
  const version = () => {
    try {
      return versions.get()?.theirs;
    } catch {
      // Trouble with the disk is told to whoever asks for something.
      return undefined;
    }
  };
  let seen = version();
  let asked = { theirs: -1, ours: -1 };
  let timer: Timer | undefined;
  let calm = false;
  let watcher: FSWatcher | undefined;

  function listen(): void {
    watcher = watchAny(dirname(path), (name) => {
      if (name !== null && name !== logName) return;
      if (calm) lookLater();
      else look(0);
    });
    // A folder that cannot be watched any more leaves the caller's own polling.
    watcher.on("error", () => {});
  }

  function look(next: number): void {
    clearTimeout(timer);
    const delay = looksMs[next];
    // Also after a change: another commit may have been written to the log and not be seen yet.
    if (delay !== undefined) timer = setTimeout(() => look(next + 1), delay);
    const now = version();
    if (now === seen) return;
    seen = now;
    onChange();
  }

  function deafen(): void {
    clearTimeout(timer);
    watcher?.close();
    watcher = undefined;
  }

  function lookLater(): void {
    deafen();
    timer = setTimeout(lookAgain, calmMs);
  }

  /** Listens before it looks, so that no commit falls between. */
  function lookAgain(): void {
    try {
      if (!watcher) listen();
    } catch {
      // The folder may not be entered for the time being.
      lookLater();
      return;
    }
    look(0);
  }

  lookAgain();
  return {
    hurry(isUrgent) {
      if (calm === !isUrgent) return;
      calm = !isUrgent;
      if (isUrgent) lookAgain();
    },
    async hasNews() {
      const before = asked;
      asked = await plain(() => versions.get()!);
      return asked.theirs !== before.theirs || asked.ours !== before.ours;
    },
    [Symbol.dispose]() {
      deafen();
      versions.finalize();
    },
  };
}

/** Bun takes a backslash in the name of a folder for a slash (seen with 1.4.5). The name of its descriptor has none. */
function watchAny(folder: string, onEvent: (name: string | null) => void): FSWatcher {
  if (!folder.includes("\\")) return watchFolder(folder, (_event, name) => onEvent(name));
  const descriptor = openSync(folder, "r");
  try {
    return watchFolder(`/proc/self/fd/${descriptor}`, (_event, name) => onEvent(name));
  } finally {
    closeSync(descriptor);
  }
}
