// What must hold after a torture run, looked up in the ledger that the jobs wrote, in the database and among the processes.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AttemptFound, Found, JobFound, Kept } from "./found.ts";

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
  /** Where the ledger lies. */
  readonly folder: string;
  /** The homes of all workers. */
  readonly homes: readonly string[];
  readonly jobs: number;
  readonly found: Found;
  readonly figures: Figures;
}

/** The breaches, in words; none when all is well. Adds what it counted to the figures. */
export function audit({ folder, homes, jobs, found, figures }: Audit): string[] {
  const { jobs: all, attempts, kept } = found;
  const ledger = readFileSync(join(folder, "ledger"), "utf8").split("\n").filter(Boolean);
  const breaches: string[] = [...found.damage];
  if (all.length !== jobs) breaches.push(`${jobs} jobs were acknowledged and ${all.length} are there`);
  breaches.push(...doubles(ledger, figures));
  breaches.push(...all.flatMap((job) => endedWrongly(job)));
  breaches.push(...unproven(all, ledger));
  breaches.push(...unfinished(attempts));
  breaches.push(...brokenLogs(attempts));
  breaches.push(...strays(homes, figures));
  breaches.push(...wrongCounts(kept, all));

  figures.completed = all.filter(({ state }) => state === "completed").length;
  figures.dead = all.filter(({ state }) => state === "dead").length;
  figures.attempts = attempts.length;
  figures.lost = attempts.filter(({ result }) => result === "lost").length;
  figures.released = attempts.filter(({ result }) => result === "released").length;
  figures.taken_over = all.reduce((sum, job) => sum + job.lease_seq - job.attempt_number, 0);
  return breaches;
}

/** Every tenth job fails always; all others must be completed, unless their worker died over them again and again. */
function endedWrongly(job: JobFound): string[] {
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
function unproven(jobs: readonly JobFound[], ledger: readonly string[]): string[] {
  const ended = new Set(ledger.filter((line) => line.startsWith("end ")).map((line) => line.split(" ")[1]));
  return jobs
    .filter(({ state, id }) => state === "completed" && !ended.has(id))
    .map(({ id }) => `job ${id} never ended`);
}

/** An attempt whose result nobody could write. */
const unfinished = (attempts: readonly AttemptFound[]) =>
  attempts
    .filter(({ result }) => result === null)
    .map(({ id, number }) => `attempt ${number} of ${id} has no result`);

/** An attempt that exited printed exactly its begin and its end. */
function brokenLogs(attempts: readonly AttemptFound[]): string[] {
  return attempts
    .filter(({ result }) => result === "exited")
    .flatMap(({ id, number, output }) => {
      const whole = new RegExp(`^begin ${id} ${number} (\\d+)\nend ${id} ${number} \\1\n$`).test(
        output ?? "",
      );
      return whole ? [] : [`the output of ${id}, attempt ${number}, is not whole: ${JSON.stringify(output)}`];
    });
}

/** Living processes that carry one of these homes in their environment. */
function strays(homes: readonly string[], figures: Figures): string[] {
  const found = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const environment = readFileSync(`/proc/${name}/environ`, "latin1");
      return homes.some((home) => environment.includes(`QUEUECTL_HOME=${home}\0`));
    } catch {
      return false;
    }
  });
  figures.stray = found.length;
  return found.map((pid) => `process ${pid} is left: ${readFileSync(`/proc/${pid}/cmdline`, "utf8")}`);
}

/** The kept counts against a full scan. */
function wrongCounts(kept: readonly Kept[], jobs: readonly JobFound[]): string[] {
  return kept.flatMap(({ state, jobs: count }) => {
    const there = jobs.filter((job) => job.state === state).length;
    return there === count ? [] : [`${count} jobs are counted as ${state}, ${there} are there`];
  });
}
