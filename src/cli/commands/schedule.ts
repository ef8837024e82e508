// queuectl schedule: what there is of schedules, and what is done with one.

import { formatDuration } from "../../domain/duration.ts";
import { jobJson, scheduleJson } from "../../domain/json.ts";
import { jobByHand, type Schedule } from "../../domain/schedule.ts";
import { isoTime } from "../../domain/time.ts";
import { zonedText, zoneOf } from "../../domain/zone.ts";
import { readCron, timesOf } from "../../input/cron.ts";
import type { ScheduleRun } from "../../store/schedules.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { hintAtWorkers } from "../hint-at-workers.ts";
import { runFacts } from "../job-facts.ts";
import {
  type Cell,
  type Fact,
  jsonFlag,
  note,
  printFacts,
  printJson,
  printLine,
  printTable,
  stateCell,
} from "../output.ts";

export const commands: Commands = {
  "schedule list": { flags: [jsonFlag], run: scheduleList },
  "schedule show": { flags: [jsonFlag], run: scheduleShow },
  "schedule pause": { run: schedulePause },
  "schedule resume": { run: scheduleResume },
  "schedule run": { run: scheduleRun },
  "schedule delete": { run: scheduleDelete },
};

interface Shown {
  readonly json?: boolean;
}

/** Times and jobs that `show` has. */
const shownTimes = 5;
const shownRuns = 10;

async function scheduleList(context: Context, _words: readonly string[], { json }: Shown): Promise<number> {
  await using store = await context.openStore();
  const schedules = await store.schedules.list();
  const now = await store.now();
  if (json) await printJson(schedules.map(scheduleJson));
  else if (schedules.length === 0)
    note("there is no schedule; queuectl schedule add --help says how to add one");
  else
    await printTable(
      ["NAME", "NEXT", "TIMES", "ZONE", "LAST", "COMMAND"],
      schedules.map((schedule) => [
        schedule.name,
        nextText(schedule, now),
        schedule.cron,
        schedule.tz,
        schedule.last_job ? stateCell(schedule.last_job.state) : "",
        schedule.job.command,
      ]),
      ["LAST", "ZONE", "TIMES"],
    );
  return done;
}

async function scheduleShow(context: Context, [name]: readonly string[], { json }: Shown): Promise<number> {
  await using store = await context.openStore();
  const schedule = await store.schedules.find(name!);
  const runs = await store.schedules.runs(schedule.name, shownRuns);
  const times = timesOf(schedule, shownTimes);
  if (json) {
    await printJson({ ...scheduleJson(schedule), next_times: times.map(isoTime), runs: runs.map(runJson) });
    return done;
  }
  await printFacts(facts(schedule, times));
  if (runs.length === 0) return done;
  note("");
  await printTable(["JOB", "FOR", "STATE", "ATTEMPTS", "SAYS"], runs.map(runRow));
  return done;
}

const runJson = ({ at, job }: ScheduleRun) => ({
  scheduled_for: at === null ? null : isoTime(at),
  ...jobJson(job),
});

const runRow = ({ at, job }: ScheduleRun): Cell[] => [
  job.id,
  at === null ? "by hand" : isoTime(at),
  stateCell(job.state),
  `${job.attempts}/${job.max_retries + 1}`,
  job.last_error ?? "",
];

function facts(schedule: Schedule, times: readonly number[]): Fact[] {
  const { job, last_at, missed_at, skipped_at } = schedule;
  const local = (moment: number) => zonedText(zoneOf(schedule.tz), moment);
  return [
    ["name", schedule.name],
    ["command", job.command],
    ["times", `${schedule.cron} in ${schedule.tz}`],
    ["next", schedule.paused ? "paused" : times.map(local).join(", ") || "never"],
    ["last", last_at === null ? null : local(last_at)],
    ["missed", missedWords[schedule.missed]],
    ["last missed", missed_at === null ? null : local(missed_at)],
    ["overlap", overlapWords[schedule.overlap]],
    ["last skipped", skipped_at === null ? null : local(skipped_at)],
    ["jitter", schedule.jitter === 0 ? null : `up to ${formatDuration(schedule.jitter)}`],
    ["retries", String(job.max_retries)],
    ["priority", String(job.priority)],
    ["queue", job.queue],
    ["key", job.key],
    ...runFacts(job),
  ];
}

const missedWords: Readonly<Record<Schedule["missed"], string>> = {
  skip: "times that no worker was there for are skipped",
  one: "of times that no worker was there for, one runs",
  all: "all times that no worker was there for run",
};

const overlapWords: Readonly<Record<Schedule["overlap"], string>> = {
  skip: "a time is skipped while the last job is not settled",
  queue: "a time is queued, and waits while the last job runs",
  replace: "a time replaces the last job while that is not settled",
};

function nextText({ paused, next_at }: Schedule, now: number): Cell {
  if (paused) return { text: "paused", style: "yellow" };
  if (next_at === null) return "never";
  return next_at <= now ? "due" : `in ${formatDuration(Math.ceil((next_at - now) / 1000))}`;
}

async function schedulePause(context: Context, names: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  const wanted = new Set(names);
  for (const name of wanted) await store.schedules.find(name);
  for (const name of wanted) {
    await store.schedules.pause(name);
    note(`schedule ${name} is paused`);
  }
  return done;
}

async function scheduleResume(context: Context, names: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  const now = await store.now();
  const found = await Promise.all([...new Set(names)].map((name) => store.schedules.find(name)));
  for (const { name, cron, tz } of found) {
    const { next_at } = await store.schedules.resume(name, readCron(cron, tz).next(now));
    note(
      `schedule ${name} ${next_at === null ? "has no next time" : `goes on at ${zonedText(zoneOf(tz), next_at)}`}`,
    );
  }
  return done;
}

async function scheduleRun(context: Context, [name]: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  const { id, queue } = await store.schedules.run(name!, jobByHand(await store.schedules.find(name!)));
  await printLine(id);
  await hintAtWorkers(store, [queue]);
  return done;
}

async function scheduleDelete(context: Context, names: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  for (const name of names) await store.schedules.find(name);
  for (const name of new Set(names)) {
    await store.schedules.remove(name);
    note(`schedule ${name} is deleted`);
  }
  return done;
}
