// What can be asked of a SQLite database about its own health, without changing anything in it.

import type { WorkerProcess } from "../../domain/worker.ts";
import type { AlertCare } from "../alerts.ts";
import { connect } from "./connection.ts";
import { checkIsOurs, refuseBesideLogs, schemaSteps } from "./migrate.ts";
import { movedTo } from "./moved.ts";
import { databaseExists, openDatabase } from "./open.ts";
import { settings } from "./settings.ts";
import { workers } from "./workers.ts";

export interface Checkup extends Disposable {
  /** Of the SQLite that this program uses. */
  readonly sqliteVersion: string;
  readonly schema: { readonly version: number; readonly newest: number };
  /** Where the queue is now; undefined when it is here. */
  movedTo(): Promise<string | undefined>;
  /** What a full check finds wrong, a few lines at most; nothing when the database is whole. Looked for once. */
  problems(): Promise<readonly string[]>;
  /** When a job was last changed, by the clock of whoever did it; null without jobs. */
  lastChange(): Promise<number | null>;
  processes(): Promise<readonly WorkerProcess[]>;
  /** Jobs that run, and by which worker. */
  running(): Promise<readonly { readonly id: string; readonly worker_id: string }[]>;
  /** Names of schedules whose next time is past by more than so many milliseconds. */
  overdueSchedules(ms: number): Promise<readonly string[]>;
  /** Queues that are paused for more than so many milliseconds, and in which jobs wait. */
  pausedQueues(ms: number): Promise<readonly string[]>;
  /** Those that are not paused: messages due for so long, and those given up since so long ago, in milliseconds. */
  alerts(overdueMs: number, recentMs: number): Promise<readonly AlertCare[]>;
  hasAttempt(seq: number, number: number): boolean;
  journals(): Promise<readonly string[]>;
  settings(): Promise<Readonly<Record<string, string>>>;
}

/** Undefined when there is no database yet. Refused when it cannot be opened, is not queuectl's, or was lost. */
export async function checkUp(path: string): Promise<Checkup | undefined> {
  if (!databaseExists(path)) return noneYet(path);
  const connection = connect(path, openDatabase(path), Date.now);
  const { db, sql, read, close } = connection;
  try {
    if (!(await read(() => checkIsOurs(connection)))) {
      close();
      return noneYet(path);
    }
    const one = (statement: string) => read(() => Object.values(db.query(statement).get() ?? {})[0]);
    let problems: Promise<readonly string[]> | undefined;
    const look = () =>
      read(() =>
        db
          .query<{ integrity_check: string }, []>("pragma integrity_check(5)")
          .all()
          .map(({ integrity_check }) => integrity_check)
          .filter((line) => line !== "ok"),
      );
    const attempt = () => sql("select 1 from attempts where job_seq = $seq and number = $number");
    return {
      sqliteVersion: String(await one("select sqlite_version()")),
      schema: { version: Number(await one("pragma user_version")), newest: schemaSteps.length },
      movedTo: () => movedTo(connection),
      problems: () => (problems ??= look()),
      lastChange: () => read(() => sql("select max(updated_at) as moment from jobs").get().moment),
      processes: workers(connection).processes,
      running: () => read(() => sql("select id, worker_id from jobs where worker_id is not null").all()),
      overdueSchedules: (ms) =>
        read(() =>
          sql("select name from schedules where next_at < $before order by next_at")
            .all({ before: Date.now() - ms })
            .map(({ name }) => name),
        ),
      pausedQueues: (ms) =>
        read(() =>
          sql(`
            select queue from queues where paused_at < $before and exists (
              select 1 from counts where counts.queue = queues.queue and state in ('pending', 'failed') and jobs > 0
            ) order by queue
          `)
            .all({ before: Date.now() - ms })
            .map(({ queue }) => queue),
        ),
      alerts: (overdueMs, recentMs) =>
        read(() =>
          sql(`
            select name, channel,
              (select count(*) from deliveries where alert = alerts.name and due_at < $before) + (
                select count(*) from outbox where alert = alerts.name and happened_at + gather * 1000 < $before
              ) as overdue,
              (
                select count(*) from deliveries
                where alert = alerts.name and state = 'given_up' and tried_at > $since
              ) as given_up
            from alerts where paused = 0 order by name
          `).all({ before: Date.now() - overdueMs, since: Date.now() - recentMs }),
        ),
      hasAttempt: (seq, number) => attempt().get({ seq, number }) !== null,
      journals: workers(connection).journals,
      settings: settings(connection).all,
      [Symbol.dispose]: close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

function noneYet(path: string): undefined {
  refuseBesideLogs(path);
}
