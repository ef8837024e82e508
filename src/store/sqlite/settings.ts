// Settings in SQLite, as the texts they were given.

import type { StoredSettings } from "../store.ts";
import type { Connection } from "./connection.ts";

export function settings({ sql, read, write }: Connection): StoredSettings {
  return {
    all: () =>
      read(() =>
        Object.fromEntries(
          sql("select key, value from settings")
            .all()
            .map(({ key, value }) => [key, value]),
        ),
      ),

    set: (key, text) =>
      write(() => {
        sql(`
          insert into settings (key, value) values ($key, $text)
          on conflict (key) do update set value = excluded.value
        `).run({ key, text });
      }),

    unset: (key) =>
      write(() => {
        sql("delete from settings where key = $key").run({ key });
      }),
  };
}
