// Jobs in PostgreSQL: stored, looked up, changed by a user's word, and removed when their time is up.

import type { Jobs } from "../jobs.ts";
import { changes } from "./changes.ts";
import type { Connection } from "./connection.ts";
import { enqueueing } from "./enqueue.ts";
import { lookup } from "./lookup.ts";
import type { Notifier } from "./notify.ts";
import { pruning } from "./prune.ts";

export const jobs = (connection: Connection, notifier: Notifier): Jobs => ({
  ...enqueueing(connection, notifier),
  ...lookup(connection),
  ...changes(connection, notifier),
  ...pruning(connection),
});
