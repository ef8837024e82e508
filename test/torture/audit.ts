// What must hold after a torture run, looked up in the ledger that the jobs wrote, in the database and among the processes.

import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { jobLogPath } from "../../src/home.ts";

export interface Figures {
  /** Worker processes that were killed with -9. */
  killed: number;
  /** Worker processes that were forced to give their jobs back. */
  stopped: number;
  /** Times that all workers left their commands running. */
  left: number;
  /** Commands that were killed with their worker. */
  shells: number;
  seconds: number;
  completed?: number;
  dead?: number;
  attempts?: number;
  lost?: number;
  released?: number;
  taken_over?: number;
  doubled?: number;
  stray?: number;
}

interface Audit {
  readonly folder: string;
  readonly home: string;
  readonly jobs: number;
  readonly figures: Figures;
}

/** The breaches, in words; none when all is well. Adds what it counted to the figures. */
export function audit({ folder, home, jobs, figures }: Audit): string[] {
  using db = new Database(join(home, "queue.db"), { readonly: true });
  const breaches: string[] = [];
  const all = db.query("select * from jobs").all() as Job[];
  const attempts = db
    .query("select attempts.*, id from attempts join jobs on seq = job_seq")
    .all() as Attempt[];
  const ledger = readFileSync(join(folder, "ledger"), "utf8").split("\n").filter(Boolean);

  if (all.length !== jobs) breaches.push(`${jobs} jobs were acknowledged and ${all.length} are there`);
  breaches.push(...doubles(ledger, figures));
  breaches.push(...all.flatMap((job) => endedWrongly(job)));
  breaches.push(...unproven(all, ledger));
  breaches.push(...unfinished(attempts));
  breaches.push(...brokenLogs(home, attempts));
  breaches.push(...strays(home, figures));
  breaches.push(...wrongCounts(db, all));
  const integrity = db.query("pragma integrity_check").get() as { integrity_check: string };
  if (integrity.integrity_check !== "ok") breaches.push(`integrity_check: ${integrity.integrity_check}`);

  figures.completed = all.filter(({ state }) => state === "completed").length;
  figures.dead = all.filter(({ state }) => state === "dead").length;
  figures.attempts = attempts.length;
  figures.lost = attempts.filter(({ result }) => result === "lost").length;
  figures.released = attempts.filter(({ result }) => result === "released").length;
  figures.taken_over = all.reduce((sum, job) => sum + job.lease_seq - job.attempt_number, 0);
  return breaches;
}

interface Job {
  readonly id: string;
  readonly seq: number;
  readonly state: string;
  readonly queue: string;
  readonly attempts: number;
  readonly attempt_number: number;
  readonly lease_seq: number;
  readonly max_retries: number;
  readonly last_error: string | null;
}

interface Attempt {
  readonly id: string;
  readonly job_seq: number;
  readonly number: number;
  readonly result: string | null;
}

/** Every tenth job fails always; all others must be completed, unless their worker died over them again and again. */
function endedWrongly(job: Job): string[] {
  const failsAlways = Number(job.id.slice(1)) % 10 === 0;
  const used = job.attempts === job.max_retries + 1;
  if (job.state === "completed" && !failsAlways) return [];
  if (job.state === "dead" && failsAlways && used) return [];
  if (job.state === "dead" && job.last_error?.startsWith("poison pill")) return [];
  return [`job ${job.id} is ${job.state} after ${job.attempts} charged runs: ${job.last_error}`];
}

/** A run that began beside another one told so itself; and no attempt begins twice. */
function doubles(ledger: readonly string[], figures: Figures): string[] {
  const told = ledger.filter((line) => line.startsWith("double ")).map((line) => `two live runs: ${line}`);
  const begun = new Set<string>();
  const twice = ledger.flatMap((line) => {
    const [what, id, attempt] = line.split(" ");
    if (what !== "begin") return [];
    const key = `${id} ${attempt}`;
    if (begun.has(key)) return [`attempt ${key} began twice`];
    begun.add(key);
    return [];
  });
  figures.doubled = told.length + twice.length;
  return [...told, ...twice];
}

/** A completed job whose command never came to its end. */
function unproven(jobs: readonly Job[], ledger: readonly string[]): string[] {
  const ended = new Set(ledger.filter((line) => line.startsWith("end ")).map((line) => line.split(" ")[1]));
  return jobs
    .filter(({ state, id }) => state === "completed" && !ended.has(id))
    .map(({ id }) => `job ${id} never ended`);
}

/** An attempt whose result nobody could write. */
const unfinished = (attempts: readonly Attempt[]) =>
  attempts
    .filter(({ result }) => result === null)
    .map(({ id, number }) => `attempt ${number} of ${id} has no result`);

/** An attempt that exited printed exactly its begin and its end. */
function brokenLogs(home: string, attempts: readonly Attempt[]): string[] {
  return attempts
    .filter(({ result }) => result === "exited")
    .flatMap(({ id, job_seq, number }) => {
      const path = jobLogPath(home, job_seq, number);
      const text = existsSync(path) ? readFileSync(path, "utf8") : "(missing)";
      const whole = new RegExp(`^begin ${id} ${number} (\\d+)\nend ${id} ${number} \\1\n$`).test(text);
      return whole ? [] : [`the log of ${id}, attempt ${number}, is not whole: ${JSON.stringify(text)}`];
    });
}

/** Living processes that carry this home in their environment. */
function strays(home: string, figures: Figures): string[] {
  const found = readdirSync("/proc").filter((name) => {
    try {
      return (
        /^\d+$/.test(name) &&
        readFileSync(`/proc/${name}/environ`, "latin1").includes(`QUEUECTL_HOME=${home}\0`)
      );
    } catch {
      return false;
    }
  });
  figures.stray = found.length;
  return found.map((pid) => `process ${pid} is left: ${readFileSync(`/proc/${pid}/cmdline`, "utf8")}`);
}

/** The kept counts against a full scan. */
function wrongCounts(db: Database, jobs: readonly Job[]): string[] {
  const kept = db.query("select state, sum(jobs) as jobs from counts group by state").all() as Kept[];
  return kept.flatMap(({ state, jobs: count }) => {
    const there = jobs.filter((job) => job.state === state).length;
    return there === count ? [] : [`${count} jobs are counted as ${state}, ${there} are there`];
  });
}

interface Kept {
  readonly state: string;
  readonly jobs: number;
}
