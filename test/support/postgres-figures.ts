// What a PostgreSQL server counts about the work it did.

import type { SQL } from "bun";
import { waitUntil } from "./wait-until.ts";

/** A session has told all that it did when it has ended. */
export const othersHaveReported = (sql: SQL) =>
  waitUntil("the other sessions are gone", async () => {
    const [{ n }] = await sql`
      select count(*)::integer as n from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
    `;
    return n === 0;
  });
