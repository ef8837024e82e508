// queuectl backup: put the queue away while everything goes on.

import { resolve } from "node:path";
import { backUp } from "../../care/backup.ts";
import { misuse, Refusal } from "../../domain/errors.ts";
import { formatSize } from "../../domain/size.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { note } from "../output.ts";

export const commands: Commands = {
  backup: {
    flags: [["--with-logs", "Copy the logs too, to a folder of that name with .logs behind it"]],
    run: backup,
  },
};

async function backup(
  context: Context,
  words: readonly string[],
  options: { withLogs?: boolean },
): Promise<number> {
  if (words[0] === "") throw misuse("the file's name is empty");
  const file = resolve(context.cwd, words[0]!);
  if (context.place.database !== undefined) throw isInPostgres(file);
  const { bytes, logs } = await backUp({ home: context.home, file, withLogs: options.withLogs === true });
  note(`wrote ${file}, ${formatSize(bytes)}${logs === undefined ? "" : `, and the logs to ${logs}`}`);
  note("to restore it, put it into a new folder as queue.db (logs as logs) and point QUEUECTL_HOME there");
  return done;
}

const isInPostgres = (file: string) =>
  new Refusal(
    "unavailable",
    "this queue is in PostgreSQL, which has its own backup",
    `pg_dump --schema=queuectl --no-unlogged-table-data --format=custom --file='${file}' "$QUEUECTL_DATABASE_URL"; pg_restore brings it back`,
  );
