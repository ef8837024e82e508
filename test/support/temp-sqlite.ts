// A SQLite database in a home folder of its own.

import { Database } from "bun:sqlite";
import { databasePath } from "../../src/home.ts";
import { openSqlite } from "../../src/store/sqlite/open.ts";
import { tempFolder } from "./temp-home.ts";
import { type StoreKind, tempStore } from "./temp-store.ts";

export const sqlite: StoreKind = {
  name: "the SQLite store",
  keepsOutput: false,
  async makeDatabase() {
    const folder = tempFolder();
    return {
      open: (clock) => openSqlite({ path: databasePath(folder.path), ...(clock && { clock }) }),
      async damage(seq, column) {
        using db = new Database(databasePath(folder.path));
        db.query(`update jobs set ${column} = '{' where seq = $seq`).run({ $seq: seq });
      },
      environment: { QUEUECTL_HOME: folder.path },
      [Symbol.asyncDispose]: async () => folder[Symbol.dispose](),
    };
  },
};

export const tempSqlite = () => tempStore(sqlite);
