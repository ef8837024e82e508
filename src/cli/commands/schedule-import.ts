// queuectl schedule import: a crontab becomes schedules, all of its lines or none.

import { resolve } from "node:path";
import { counted } from "../../domain/counted.ts";
import { inPlace, misuse } from "../../domain/errors.ts";
import { scheduledJobJson } from "../../domain/json.ts";
import { checkSchedule, type NewSchedule } from "../../domain/schedule.ts";
import { isoTime } from "../../domain/time.ts";
import { zonedText, zoneOf } from "../../domain/zone.ts";
import { firstTime } from "../../input/cron.ts";
import { type CrontabEntry, readCrontab, refuseSystemCrontab } from "../../input/crontab.ts";
import { linesOf } from "../../input/lines.ts";
import { scheduleTaken } from "../../store/schedules.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { hintAtWorkers } from "../hint-at-workers.ts";
import { jobFlagsBut } from "../job-options.ts";
import { jsonFlag, note, printJson, printTable } from "../output.ts";
import { readRule, type ScheduleOptions, scheduleFlags } from "../schedule-options.ts";
import { completer } from "./enqueue.ts";
import { bytesOf } from "./enqueue-many.ts";

export const commands: Commands = {
  "schedule import": {
    usage: "schedule import <file> [options]",
    examples: [
      "crontab -l | queuectl schedule import - --dry-run",
      "queuectl schedule import my.crontab --queue cron",
    ],
    flags: [
      ...scheduleFlags,
      ...jobFlagsBut("command", "id", "run-at", "delay", "cwd"),
      ["--cwd <folder>", "Where they run; the home folder by default"],
      ["--dry-run", "Show what would be stored, and store nothing"],
      jsonFlag,
    ],
    run: scheduleImport,
  },
};

interface ImportOptions extends ScheduleOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

async function scheduleImport(
  context: Context,
  [file]: readonly string[],
  options: ImportOptions,
): Promise<number> {
  const rule = readRule(options);
  refuseSystemCrontab(resolve(file!));
  const lines = await Array.fromAsync(linesOf(bytesOf(file!)), ({ text }) => text);
  const { entries, notes } = readCrontab(lines.join("\n").replace(/^\ufeff/, ""), rule.tz);
  if (entries.length === 0)
    throw misuse(`there is no schedule in ${file === "-" ? "standard input" : file}`, notes[0]);

  await using store = await context.openStore();
  const now = await store.now();
  const finish = await completer(context, store, options);
  const schedules = entries.map((entry) => inPlace(entry.where, () => scheduleOf(entry)));
  const names = new Set(schedules.map(({ name }) => name));
  const before = (await store.schedules.list()).map(({ name }) => name);
  const taken = before.find((name) => names.has(name));
  // As the store does when they are added.
  if (options.dryRun && !options.replace && taken !== undefined) throw scheduleTaken(taken);
  if (!options.dryRun) await store.schedules.add(schedules, { replace: options.replace ?? false });
  if (options.json) {
    await printJson(
      schedules.map(({ next_at, job, ...schedule }) => ({
        ...schedule,
        next_at: isoTime(next_at!),
        job: scheduledJobJson(job),
      })),
    );
  } else {
    await printTable(
      ["NAME", "FIRST", "TIMES", "COMMAND"],
      schedules.map(({ name, tz, next_at, cron, job }) => [
        name,
        zonedText(zoneOf(tz), next_at!),
        cron,
        job.command,
      ]),
    );
  }
  for (const one of notes) note(one);
  note(`${counted(schedules.length, "schedule")} ${options.dryRun ? "would be stored" : "stored"}`);
  const others = before.filter((name) => !names.has(name));
  if (options.replace && others.length > 0)
    note(`schedules that no line of it makes stay as they are: ${others.join(", ")}`);
  if (!options.dryRun) await hintAtWorkers(store, [...new Set(schedules.map(({ job }) => job.queue))]);
  return done;

  function scheduleOf({ name, cron, command, env, ...entry }: CrontabEntry): NewSchedule {
    const tz = options.tz === undefined && entry.tz !== undefined ? zoneOf(entry.tz).name : rule.tz;
    const jitter = options.jitter === undefined ? (entry.jitter ?? 0) : rule.jitter;
    // As cron has it, a command begins in the home folder.
    const cwd = env.HOME ?? context.environment.HOME;
    const wanted = finish({ command, env, ...(cwd !== undefined && { cwd }) });
    const { id: _id, run_at: _run_at, after: _after, ...job } = wanted;
    return checkSchedule({ ...rule, name, cron, tz, jitter, job, next_at: firstTime(cron, tz, now) });
  }
}
