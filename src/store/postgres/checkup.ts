// What can be asked of a PostgreSQL database about its health and about the role's rights in it, without changing anything.

import type { SQL } from "bun";
import type { WorkerProcess } from "../../domain/worker.ts";
import type { AlertCare } from "../alerts.ts";
import { readAddress } from "./address.ts";
import { abandonedMs } from "./bulk-enqueue.ts";
import { connect } from "./connection.ts";
import { schemaSteps, versionOf } from "./migrate.ts";
import { movedTo } from "./moved.ts";
import { isHeard, listeningAt } from "./notify.ts";
import type { PostgresOptions } from "./open.ts";
import { firstBatchSince } from "./prune.ts";
import type { Row } from "./rows.ts";
import { settings } from "./settings.ts";
import { processesOf } from "./workers.ts";

export interface PostgresCheckup extends AsyncDisposable {
  /** Of the server, such as 150018 for 15.18. */
  readonly serverVersion: number;
  /** As a standby is, or a database whose owner said so. */
  readonly isReadOnly: boolean;
  /** Whether the role may make a queue here. */
  readonly mayMakeQueue: boolean;
  /** Version 0 where there is no queue yet. */
  readonly schema: { readonly version: number; readonly newest: number };
  movedTo(): Promise<string | undefined>;
  /** What the role may not do and has to, as in `insert on jobs`. */
  missingRights(): Promise<readonly string[]>;
  settings(): Promise<Readonly<Record<string, string>>>;
  /** The moment by the server's clock. */
  now(): Promise<number>;
  /** Whether a word comes to who listens within so many milliseconds; null where nobody is to. Refused where listening is. */
  isHeard(withinMs: number): Promise<boolean | null>;
  /** The tables that grow, the largest first. */
  tables(): Promise<readonly TableCare[]>;
  indexes(): Promise<readonly IndexCare[]>;
  /** The session, or the prepared transaction, whose transaction is open for longest; null where none is. */
  oldestTransaction(): Promise<OpenTransaction | null>;
  connections(): Promise<{ readonly used: number; readonly most: number }>;
  /** How many jobs cut-off enqueues have left on their way in. */
  abandoned(): Promise<number>;
  processes(): Promise<readonly WorkerProcess[]>;
  /** The processes whose lease has ended. */
  expired(): Promise<readonly WorkerProcess[]>;
  /** Jobs that run, and by which worker. */
  running(): Promise<readonly { readonly id: string; readonly worker_id: string }[]>;
  /** Names of schedules whose next time is past by more than so many milliseconds. */
  overdueSchedules(ms: number): Promise<readonly string[]>;
  /** Queues that are paused for more than so many milliseconds, and in which jobs wait. */
  pausedQueues(ms: number): Promise<readonly string[]>;
  /** Those that are not paused: messages due for so long, and those given up since so long ago, in milliseconds. */
  alerts(overdueMs: number, recentMs: number): Promise<readonly AlertCare[]>;
}

export interface TableCare {
  readonly name: string;
  readonly live: number;
  readonly dead: number;
  /** When it was last vacuumed, by hand or by the server; null for never. */
  readonly vacuumed_at: number | null;
  /** With its indexes. */
  readonly bytes: number;
}

export interface IndexCare {
  readonly name: string;
  readonly entries: number;
  readonly bytes: number;
}

export interface OpenTransaction {
  /** As an administrator finds it: `session 4711 of alice (psql)`, `the prepared transaction x`. */
  readonly name: string;
  /** What ends it, in SQL. */
  readonly end: string;
  readonly seconds: number;
}

export async function checkUpPostgres({
  url,
  listenUrl,
}: Pick<PostgresOptions, "url" | "listenUrl">): Promise<PostgresCheckup> {
  const address = readAddress(url);
  const connection = connect({ address, at: () => null, pooled: listenUrl !== undefined, brief: true });
  const { ask } = connection;
  try {
    const [server] = await ask(
      (sql) => sql`
        select current_setting('server_version_num')::integer as version, current_setting('transaction_read_only') = 'on' as is_read_only,
          has_database_privilege(current_database(), 'create') as may_make_queue
      `,
    );
    return {
      serverVersion: server.version,
      isReadOnly: server.is_read_only,
      mayMakeQueue: server.may_make_queue,
      schema: { version: await ask(versionOf), newest: schemaSteps.length },
      movedTo: () => ask(movedTo),
      missingRights: () => ask(missingRights),
      settings: settings(connection, { say() {}, close: async () => {} }).all,
      now: () =>
        ask(async (sql) =>
          Number(
            (await sql`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`)[0].now,
          ),
        ),
      async isHeard(withinMs) {
        const listening = listeningAt(address, listenUrl);
        return listening ? isHeard(connection, listening, withinMs) : null;
      },
      tables: () => ask(tables),
      indexes: () => ask(indexes),
      oldestTransaction: () => ask(oldestTransaction),
      connections: () =>
        ask(async (sql) => {
          const [row] = await sql`
            select count(*)::integer as used, current_setting('max_connections')::integer as most
            from pg_stat_activity where backend_type = 'client backend'
          `;
          return row;
        }),
      abandoned: () =>
        ask(async (sql) => {
          const before = firstBatchSince(Date.now() - abandonedMs);
          const [{ n }] =
            await sql`select count(*)::integer as n from queuectl.staged where batch < ${before}::uuid`;
          return n;
        }),
      processes: () => ask((sql) => processesOf(sql)),
      expired: () => ask((sql) => processesOf(sql, { leased: false })),
      overdueSchedules: (ms) =>
        ask(async (sql) => {
          const rows: Row[] = await sql`
            select name from queuectl.schedules where next_at < queuectl.now_ms() - ${ms}::bigint order by next_at
          `;
          return rows.map(({ name }) => name);
        }),
      pausedQueues: (ms) =>
        ask(async (sql) => {
          const rows: Row[] = await sql`
            select queue from queuectl.queues where paused_at < queuectl.now_ms() - ${ms}::bigint and exists (
              select from queuectl.all_counts where all_counts.queue = queues.queue and state in ('pending', 'failed') having sum(jobs) > 0
            ) order by queue
          `;
          return rows.map(({ queue }) => queue);
        }),
      alerts: (overdueMs, recentMs) =>
        ask(
          (sql) => sql`
            select name, channel,
              (
                select count(*)::integer from queuectl.deliveries
                where alert = alerts.name and due_at < queuectl.now_ms() - ${overdueMs}::bigint
              ) + (
                select count(*)::integer from queuectl.outbox
                where alert = alerts.name and happened_at + gather * 1000 < queuectl.now_ms() - ${overdueMs}::bigint
              ) as overdue,
              (
                select count(*)::integer from queuectl.deliveries
                where alert = alerts.name and state = 'given_up' and tried_at > queuectl.now_ms() - ${recentMs}::bigint
              ) as given_up
            from queuectl.alerts where not paused order by name
          `,
        ),
      running: () => ask((sql) => sql`select id, worker_id from queuectl.jobs where worker_id is not null`),
      [Symbol.asyncDispose]: connection.close,
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function missingRights(sql: SQL): Promise<string[]> {
  const rows: Row[] = await sql`
    select right_to || ' on ' || relname as missing
    from pg_class cross join unnest(array['select', 'insert', 'update', 'delete']) as right_to
    where relnamespace = to_regnamespace('queuectl') and relkind = 'r' and relname not in ('meta', 'moved')
      and not has_table_privilege(pg_class.oid, right_to)
    union all
    select 'select on ' || relname from pg_class
    where relnamespace = to_regnamespace('queuectl') and relname in ('meta', 'moved') and not has_table_privilege(oid, 'select')
    union all
    select 'execute on function ' || proname from pg_proc
    where pronamespace = to_regnamespace('queuectl') and not has_function_privilege(oid, 'execute')
    union all
    select 'usage on schema queuectl' where not has_schema_privilege('queuectl', 'usage')
  `;
  return rows.map(({ missing }) => missing);
}

async function tables(sql: SQL): Promise<TableCare[]> {
  const rows: Row[] = await sql`
    select relname as name, n_live_tup as live, n_dead_tup as dead, pg_total_relation_size(relid) as bytes,
      floor(extract(epoch from greatest(last_vacuum, last_autovacuum)) * 1000) as vacuumed_at
    from pg_stat_user_tables where schemaname = 'queuectl' order by pg_total_relation_size(relid) desc
  `;
  return rows.map(({ name, live, dead, bytes, vacuumed_at }) => ({
    name,
    live: Number(live),
    dead: Number(dead),
    bytes: Number(bytes),
    vacuumed_at: vacuumed_at === null ? null : Number(vacuumed_at),
  }));
}

async function indexes(sql: SQL): Promise<IndexCare[]> {
  const rows: Row[] = await sql`
    select relname as name, greatest(reltuples, 0) as entries, pg_relation_size(oid) as bytes
    from pg_class where relnamespace = to_regnamespace('queuectl') and relkind = 'i' order by pg_relation_size(oid) desc
  `;
  return rows.map(({ name, entries, bytes }) => ({ name, entries: Number(entries), bytes: Number(bytes) }));
}

/** Of this database: what is open in another keeps no row here from being vacuumed. */
async function oldestTransaction(sql: SQL): Promise<OpenTransaction | null> {
  const [row] = await sql`
    select name, "end", extract(epoch from clock_timestamp() - since)::double precision as seconds from (
      select format('session %s of %s (%s)', pid, usename, application_name) as name,
        format('select pg_terminate_backend(%s)', pid) as "end", xact_start as since
      from pg_stat_activity
      where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start is not null
      union all
      select format('the prepared transaction %s', gid), format('rollback prepared %L', gid), prepared
      from pg_prepared_xacts where database = current_database()
    ) as open order by since limit 1
  `;
  return row ?? null;
}
