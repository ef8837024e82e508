// Notices that another process committed something: every commit touches the write-ahead log in the database's folder.

import { watch as watchFolder } from "node:fs";
import { basename, dirname } from "node:path";
import type { Connection } from "./connection.ts";

export function watch({ db, path }: Connection, onChange: () => void): Disposable {
  const logName = `${basename(path)}-wal`;
  // Changes with every commit of another connection, and with none of our own.
  const dataVersion = db.prepare<{ data_version: number }, []>("pragma data_version");
  let seen = dataVersion.get()!.data_version;
  const watcher = watchFolder(dirname(path), (_event, name) => {
    if (name !== null && name !== logName) return;
    const { data_version } = dataVersion.get()!;
    if (data_version === seen) return;
    seen = data_version;
    onChange();
  });
  // A folder that cannot be watched any more leaves the caller's own polling.
  watcher.on("error", () => {});
  return {
    [Symbol.dispose]() {
      watcher.close();
      dataVersion.finalize();
    },
  };
}
