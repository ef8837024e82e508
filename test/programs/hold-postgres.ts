// Starts a PostgreSQL server of its own, prints its URL, and stays.

import { startPostgres } from "../support/own-postgres.ts";

const { url } = await startPostgres();
process.stdout.write(`${url}\n`);
setInterval(() => {}, 60_000);
