// Opens a PostgreSQL database as a Store: brings its schema up to date, and refuses one that is newer.

import { sharedDefaults } from "../../domain/settings.ts";
import type { Store } from "../store.ts";
import { readAddress } from "./address.ts";
import { alerts } from "./alerts.ts";
import { connect, type QueueHere } from "./connection.ts";
import { jobs } from "./jobs.ts";
import { leases } from "./leases.ts";
import { matching } from "./matching.ts";
import { migrate } from "./migrate.ts";
import { refuseMoved } from "./moved.ts";
import { hasNews, listen, listeningAt, makeNotifier } from "./notify.ts";
import { output } from "./output.ts";
import { queues } from "./queues.ts";
import { schedules } from "./schedules.ts";
import { settings } from "./settings.ts";
import { stats } from "./stats.ts";
import { workers } from "./workers.ts";

export interface PostgresOptions {
  readonly url: string;
  /**
   * Where to listen when a pooler stands at `url`, which keeps nothing in a connection: another URL, or `off` to look for news from
   * time to time only.
   */
  readonly listenUrl?: string | undefined;
  /** Whether it is opened for a few questions, as by a command, and not for a process that asks the same again and again. */
  readonly brief?: boolean;
  /** For tests: the moment to take for now instead of the database's own. */
  readonly clock?: (() => number) | undefined;
  /** How long after its last heartbeat a process's jobs are its own. */
  readonly leaseMs?: number;
}

const defaultLeaseMs = 30_000;

export async function openPostgres({
  url,
  listenUrl,
  brief = false,
  clock,
  leaseMs = defaultLeaseMs,
}: PostgresOptions): Promise<Store> {
  const address = readAddress(url);
  const pooled = listenUrl !== undefined;
  const at = clock ?? (() => null);
  const connection = connect({ address, at, pooled, brief });
  const notifier = makeNotifier(connection);
  const listening = listeningAt(address, listenUrl);
  let queue: QueueHere;
  try {
    const { here, isMoved } = await migrate(connection);
    queue = here;
    connection.keepTo(queue);
    if (isMoved) await connection.ask(refuseMoved);
  } catch (error) {
    await connection.close();
    throw error;
  }
  return {
    leaseMs,
    defaults: sharedDefaults,
    jobs: jobs(connection, notifier),
    matching: matching(connection, notifier),
    leases: leases(connection, notifier),
    output: output(connection, queue.id),
    workers: workers(connection, notifier, leaseMs),
    settings: settings(connection, notifier),
    stats: stats(connection),
    queues: queues(connection, notifier),
    schedules: schedules(connection, notifier),
    alerts: alerts(connection),
    now: async () =>
      at() ?? Number((await connection.ask((sql) => sql`select queuectl.now_ms() as now`, "soon"))[0].now),
    refuseMoved: () => connection.ask(refuseMoved, "soon"),
    watch(onChange, what = "everything") {
      if (!listening) return { hurry() {}, hasNews, [Symbol.dispose]() {} };
      return listen(listening, what === "work" ? ["work"] : ["work", "news"], onChange);
    },
    async [Symbol.asyncDispose]() {
      await notifier.close();
      await connection.close();
    },
  };
}
