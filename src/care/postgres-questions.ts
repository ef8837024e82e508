// The PostgreSQL database of a queue: can it be used, is it kept tidy, and what stands in the way of that.

import { counted } from "../domain/counted.ts";
import { formatDuration, formatElapsed } from "../domain/duration.ts";
import { Refusal } from "../domain/errors.ts";
import { formatSize } from "../domain/size.ts";
import type { WorkerProcess } from "../domain/worker.ts";
import { livenessOf } from "../runner/process-identity.ts";
import type { IndexCare, OpenTransaction, PostgresCheckup, TableCare } from "../store/postgres/checkup.ts";
import { toleranceMs } from "./database-questions.ts";
import { broken, type Finding, ok, some, warning } from "./finding.ts";
import { idsOf, judgeRunning } from "./worker-questions.ts";

/** The oldest that is tested. */
const oldestVersion = 15;

export function judgeServer({
  serverVersion,
  isReadOnly,
  mayMakeQueue,
  schema,
}: Pick<PostgresCheckup, "serverVersion" | "isReadOnly" | "mayMakeQueue" | "schema">): Finding {
  const major = Math.floor(serverVersion / 10_000);
  const version = `PostgreSQL ${major}.${serverVersion % 10_000}`;
  if (major < oldestVersion)
    return broken(`${version} is too old`, `use a server of version ${oldestVersion} or newer`);
  if (isReadOnly)
    return broken(
      `${version} is read-only, as a standby is: nothing can be stored`,
      "name the primary in QUEUECTL_DATABASE_URL, or take back default_transaction_read_only",
    );
  if (schema.version > 0) return ok(version);
  if (!mayMakeQueue)
    return broken(
      `${version}; there is no queue yet, and the role may not make one`,
      "grant the role create on the database, as the database's owner",
    );
  return ok(`${version}; there is no queue yet, the first enqueue makes it`);
}

export async function rights(checkup: PostgresCheckup): Promise<Finding> {
  const missing = await checkup.missingRights();
  if (missing.length === 0) return ok("all that queuectl does is granted");
  return broken(
    `the role lacks ${some(missing)}`,
    "grant what docs/postgres.md lists under Rights, as the tables' owner",
  );
}

export async function clock(checkup: PostgresCheckup): Promise<Finding> {
  const before = Date.now();
  const there = await checkup.now();
  return judgeClocks((before + Date.now()) / 2, there);
}

export function judgeClocks(here: number, there: number): Finding {
  const apart = Math.abs(there - here);
  if (apart <= toleranceMs) return ok("this machine's and the server's agree");
  return warning(
    `this machine's clock is ${formatDuration(Math.round(apart / 1000))} ${here < there ? "behind" : "ahead of"} the server's, by which jobs run`,
    "set both right (timedatectl): a time given here, as to --run-at, is meant by this machine's clock",
  );
}

/** A word that takes longer saves no waiting. */
const heardMs = 2_000;

/** Whoever is not told of new jobs looks by itself: nothing is lost but time. */
export async function wakeUps(checkup: PostgresCheckup): Promise<Finding> {
  try {
    return judgeWakeUps(await checkup.isHeard(heardMs));
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind === "usage") throw error;
    return warning(`workers are not told of new jobs: ${error.message}`, whereToListen);
  }
}

const whereToListen =
  "set QUEUECTL_LISTEN_URL to the server's own address, or to off; until then each looks every poll_interval";

export function judgeWakeUps(isHeard: boolean | null): Finding {
  if (isHeard === null) return ok("off: workers look every poll_interval");
  if (isHeard) return ok("workers are told of new jobs");
  return warning("workers are not told of new jobs: a pooler stands where they listen", whereToListen);
}

export async function connections(checkup: PostgresCheckup): Promise<Finding> {
  return judgeConnections(await checkup.connections());
}

export function judgeConnections({ used, most }: { used: number; most: number }): Finding {
  const text = `${used} of at most ${most}`;
  if (used < 0.8 * most) return ok(text);
  return warning(text, "raise max_connections, or put PgBouncer in front; a worker process takes up to five");
}

/** As long as one is open, nothing that was written since can be tidied up. */
const longSeconds = 300;

export async function transactions(checkup: PostgresCheckup): Promise<Finding> {
  return judgeTransaction(await checkup.oldestTransaction());
}

export function judgeTransaction(oldest: OpenTransaction | null): Finding {
  if (!oldest) return ok("none is open");
  const age = formatDuration(Math.round(oldest.seconds));
  if (oldest.seconds < longSeconds) return ok(`the oldest is open for ${age}`);
  return warning(
    `${oldest.name} has one open for ${age}, and until it ends no dead row can be removed`,
    `end it, there or by ${oldest.end}`,
  );
}

/** Fewer do no harm, and a vacuum begins only some rows later. */
const manyDead = 10_000;

export async function vacuum(checkup: PostgresCheckup): Promise<Finding> {
  return judgeVacuum(await checkup.tables(), await checkup.now());
}

export function judgeVacuum(tables: readonly TableCare[], now: number): Finding {
  const dead = ({ dead, live }: TableCare) => dead > manyDead && dead > 0.2 * live;
  const ago = ({ vacuumed_at }: TableCare) =>
    vacuumed_at === null ? "never vacuumed" : `vacuumed ${formatElapsed(vacuumed_at, now)} ago`;
  const worst = tables.filter(dead).toSorted((a, b) => b.dead - a.dead)[0];
  if (worst)
    return warning(
      `${worst.name} has ${worst.dead} dead rows beside ${worst.live} live ones, ${ago(worst)}`,
      `see that autovacuum is on and that no transaction stays open, then: vacuum analyze queuectl.${worst.name}`,
    );
  const watched = tables.filter(({ name }) => name === "jobs" || name === "attempts");
  return ok(
    watched
      .map((table) => `${table.name}: ${table.dead} dead of ${table.live + table.dead}, ${ago(table)}`)
      .join("; "),
  );
}

/** An index has some 20 to 100 bytes for an entry; far more is room that is not used again. */
const roomyBytes = 500;
const largeBytes = 50 * 1024 ** 2;

export async function sizes(checkup: PostgresCheckup): Promise<Finding> {
  return judgeSizes(await checkup.tables(), await checkup.indexes());
}

export function judgeSizes(tables: readonly TableCare[], indexes: readonly IndexCare[]): Finding {
  const roomy = indexes.find(({ bytes, entries }) => bytes > largeBytes && bytes > roomyBytes * entries);
  if (roomy)
    return warning(
      `the index ${roomy.name} has ${formatSize(roomy.bytes)} for ${roomy.entries} entries`,
      `reindex index concurrently queuectl.${roomy.name}`,
    );
  const whole = tables.reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = tables.slice(0, 3).map(({ name, bytes }) => `${name} ${formatSize(bytes)}`);
  return ok(`${formatSize(whole)} with indexes: ${largest.join(", ")}`);
}

export async function leftovers(checkup: PostgresCheckup): Promise<Finding> {
  const left = await checkup.abandoned();
  if (left === 0) return ok("none");
  return warning(
    `${counted(left, "job")} on the way in of enqueues that were cut off more than a day ago`,
    "start a worker (queuectl worker): it removes them bit by bit",
  );
}

/** Three heartbeats missed. */
const silentMs = 15_000;

export async function workers(checkup: PostgresCheckup): Promise<Finding> {
  const gone = await goneProcesses(checkup);
  const processes = await checkup.processes();
  if (gone.length > 0)
    return warning(
      `${some(idsOf(gone))} on ${some([...new Set(gone.map(({ identity }) => identity.host))])} died, or lost the way to the database`,
      "start a worker (queuectl worker): it takes over what they ran when their lease has ended",
    );
  const now = await checkup.now();
  const silent = processes.find(({ heartbeat_at }) => now - heartbeat_at > silentMs);
  if (silent) {
    const since = formatDuration(Math.round((now - silent.heartbeat_at) / 1000));
    return warning(
      `${some(silent.worker_ids)} on ${silent.identity.host} (pid ${silent.identity.pid}) said nothing for ${since}`,
      "look after that process, and the network in between; its jobs run elsewhere when its lease has ended",
    );
  }
  const hosts = new Set(processes.map(({ identity }) => identity.host));
  return ok(
    processes.length === 0
      ? "none runs"
      : `${counted(idsOf(processes).length, "worker")} on ${counted(hosts.size, "host")}, all heard of`,
  );
}

export async function runningJobs(checkup: PostgresCheckup): Promise<Finding> {
  return judgeRunning(await checkup.running(), await checkup.processes(), await goneProcesses(checkup));
}

async function goneProcesses(checkup: PostgresCheckup): Promise<readonly WorkerProcess[]> {
  const expired = new Set((await checkup.expired()).map(({ process_id }) => process_id));
  return (await checkup.processes()).filter(
    ({ process_id, identity }) => expired.has(process_id) || livenessOf(identity) === "dead",
  );
}
