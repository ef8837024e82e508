// Makes jobs of the times that schedules have. Every worker process does so: the store lets one of them make each time's job, so
// none has to be chosen, and none is missed.

import { isSystemError, Refusal } from "../domain/errors.ts";
import { jobFor, planFiring } from "../domain/schedule.ts";
import type { CronTimes } from "../input/cron.ts";
import type { DueSchedule } from "../store/schedules.ts";
import type { Store } from "../store/store.ts";
import type { WorkerEvent } from "./events.ts";
import { makeWakeup } from "./wakeup.ts";

export interface SchedulerOptions {
  readonly store: Store;
  readonly tell: (event: WorkerEvent) => void;
  /** There are new jobs. */
  readonly onFired: () => void;
}

export interface Scheduler extends AsyncDisposable {
  /** Look soon: somebody may have changed a schedule. */
  look(): void;
}

/** The clock may be set, and a change may be heard of by nobody. */
const idleMs = 5_000;

/** However often something changes, schedules are looked at no more often, unless one is due. */
const calmMs = 250;

/** How often to make sure that the clock was not set back. */
const mendMs = 60_000;

export function keepSchedules({ store, tell, onFired }: SchedulerOptions): Scheduler {
  const wakeup = makeWakeup();
  const unreadable = new Set<string>();
  let ended = false;
  let mendAt = 0;
  const working = work();

  return {
    look: () => wakeup.wake(),
    async [Symbol.asyncDispose]() {
      ended = true;
      wakeup.wake();
      await working;
    },
  };

  async function work(): Promise<void> {
    while (!ended) {
      const restMs = await pass().catch((error) => {
        // Trouble with the database is told of by the loop that works.
        if (!(error instanceof Refusal || isSystemError(error))) throw error;
        return calmMs;
      });
      const before = performance.now();
      await wakeup.wait(restMs);
      if (!ended) await Bun.sleep(Math.max(0, Math.min(calmMs, restMs) - (performance.now() - before)));
    }
  }

  /** Fires what is due. Returns for how long there is nothing to do. */
  async function pass(): Promise<number> {
    if (performance.now() >= mendAt) {
      await mend();
      mendAt = performance.now() + mendMs;
    }
    const { now, due, next_at } = await store.schedules.due();
    let some = false;
    for (const schedule of due) if (!ended && (await fire(schedule, now))) some = true;
    if (some) return 0;
    return next_at === null ? idleMs : Math.min(idleMs, next_at - now);
  }

  /** False when nothing could be done about it. */
  async function fire(schedule: DueSchedule, now: number): Promise<boolean> {
    const times = await timesOf(schedule);
    if (!times) return false;
    const { name } = schedule;
    const plan = planFiring(schedule, now, times.next);
    const jobs = plan.times.map((at) => ({ at, job: jobFor(schedule, at) }));
    const fired = await store.schedules.fire({ ...plan, schedule, jobs });
    if (!fired) return true;
    if (plan.missed_at !== null) tell({ kind: "missed", schedule: name, at: plan.missed_at });
    if (fired.skipped) tell({ kind: "skipped", schedule: name, at: jobs.at(-1)!.at });
    if (fired.replaced) tell({ kind: "replaced", schedule: name, job: fired.replaced });
    for (const job of fired.jobs) tell({ kind: "scheduled", schedule: name, job });
    if (fired.jobs.length > 0) onFired();
    return true;
  }

  /**
   * When the clock was set back, what was planned by the wrong one is too far ahead. Read before the moment is: whoever fires in
   * between plans nothing that comes later than what is expected here.
   */
  async function mend(): Promise<void> {
    const schedules = await store.schedules.list();
    if (schedules.length === 0) return;
    const now = await store.now();
    for (const schedule of schedules) {
      if (schedule.next_at === null || schedule.next_at <= now) continue;
      const next_at = (await timesOf(schedule))?.next(now) ?? null;
      if (next_at === null || next_at >= schedule.next_at) continue;
      await store.schedules.fire({ schedule, jobs: [], overlap: "queue", missed_at: null, next_at });
    }
  }

  /** Undefined for a text or a zone that this version, or this machine, cannot read. */
  async function timesOf({ name, cron, tz }: { name: string; cron: string; tz: string }) {
    // Loaded by those that have a schedule.
    const { readCron } = await import("../input/cron.ts");
    try {
      return readCron(cron, tz) satisfies CronTimes;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!unreadable.has(name)) tell({ kind: "unreadable", schedule: name, message: error.message });
      unreadable.add(name);
      return undefined;
    }
  }
}
