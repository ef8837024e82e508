// queuectl backup: put the queue away while everything goes on.

import { resolve } from "node:path";
import { backUp } from "../../care/backup.ts";
import { formatSize } from "../../domain/settings.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { note } from "../output.ts";

export async function backup(
  context: Context,
  words: readonly string[],
  options: { withLogs?: boolean },
): Promise<number> {
  const file = resolve(context.cwd, words[0]!);
  const { bytes, logs } = await backUp({ home: context.home, file, withLogs: options.withLogs === true });
  note(`wrote ${file}, ${formatSize(bytes)}${logs === undefined ? "" : `, and the logs to ${logs}`}`);
  note("to restore it, put it into a new folder as queue.db (logs as logs) and point QUEUECTL_HOME there");
  return done;
}
