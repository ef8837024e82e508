// Settings in PostgreSQL, as the texts they were given.

import type { StoredSettings } from "../store.ts";
import type { Connection } from "./connection.ts";
import type { Notifier } from "./notify.ts";
import type { Row } from "./rows.ts";

export function settings({ ask }: Connection, notifier: Notifier): StoredSettings {
  return {
    all: () =>
      ask(async (sql) => {
        const rows: Row[] = await sql`select key, value from queuectl.settings`;
        return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
        // A worker asks before it settles, and its lease does not wait.
      }, "soon"),

    async set(key, text) {
      await ask(
        (sql) => sql`
          insert into queuectl.settings (key, value) values (${key}, ${text})
          on conflict (key) do update set value = excluded.value
        `,
      );
      notifier.say("work");
    },

    async unset(key) {
      await ask((sql) => sql`delete from queuectl.settings where key = ${key}`);
      notifier.say("work");
    },
  };
}
