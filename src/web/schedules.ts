// What pages and the API ask of schedules: the same for both.

import { newJob } from "../domain/job.ts";
import { shownJobJson, shownScheduleJson } from "../domain/json.ts";
import { jobByHand, type NewSchedule, type Schedule } from "../domain/schedule.ts";
import { unhidden } from "../domain/secrets.ts";
import { isoTime } from "../domain/time.ts";
import { readCron, timesOf } from "../input/cron.ts";
import { newSchedule, type ScheduleRequest } from "../input/schedule.ts";
import { jobDefaults } from "./enqueue.ts";
import type { Web } from "./web.ts";

/** With the defaults of now. */
export async function scheduleOf(web: Web, request: ScheduleRequest): Promise<NewSchedule> {
  const wanted = newJob(request.job, await jobDefaults(web));
  const { id: _id, run_at: _run_at, after: _after, ...job } = wanted;
  return newSchedule(request, job, await web.store.now());
}

/** What of its variables was hidden from whoever puts another one in the place of a schedule stays what it is. */
export async function asReplacing(web: Web, request: ScheduleRequest): Promise<ScheduleRequest> {
  const before = (await web.store.schedules.list()).find(({ name }) => name === request.name);
  const { env } = request.job;
  if (!before || !env) return request;
  return { ...request, job: { ...request.job, env: unhidden(env, before.job.env) } };
}

export async function resumed(web: Web, name: string): Promise<Schedule> {
  const { cron, tz } = await web.store.schedules.find(name);
  return web.store.schedules.resume(name, readCron(cron, tz).next(await web.store.now()));
}

export async function runNow(web: Web, name: string) {
  return web.store.schedules.run(name, jobByHand(await web.store.schedules.find(name)));
}

const shownTimes = 5;
const shownRuns = 10;

export async function scheduleWithRuns(web: Web, name: string) {
  const schedule = await web.store.schedules.find(name);
  const runs = await web.store.schedules.runs(name, shownRuns);
  return {
    ...shownScheduleJson(schedule),
    next_times: timesOf(schedule, shownTimes).map(isoTime),
    runs: runs.map(({ at, job }) => ({
      ...shownJobJson(job),
      scheduled_for: at === null ? null : isoTime(at),
    })),
  };
}
