// queuectl schedule add: a command and the times at which it becomes a job.

import { misuse } from "../../domain/errors.ts";
import { scheduleJson } from "../../domain/json.ts";
import {
  checkSchedule,
  missedPolicies,
  type NewSchedule,
  oneOf,
  overlapPolicies,
} from "../../domain/schedule.ts";
import { ownZone, zonedText, zoneOf } from "../../domain/zone.ts";
import { firstTime } from "../../input/cron.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { note, printJson, printLine } from "../output.ts";
import { seconds } from "../values.ts";
import { complete, hintAtWorkers, type JobOptions, readRequest } from "./enqueue.ts";

/** The options that say when; those of a job say what. */
export interface ScheduleOptions extends JobOptions {
  readonly tz?: string;
  readonly missed?: string;
  readonly overlap?: string;
  readonly jitter?: string;
  readonly replace?: boolean;
}

export async function scheduleAdd(
  context: Context,
  words: readonly string[],
  options: ScheduleOptions & { readonly json?: boolean },
): Promise<number> {
  const [name, cron, ...command] = words as [string, string, ...string[]];
  if (command.length > 1) throw misuse("the times or the command are several words", "quote each of the two");
  const rule = readRule(options);
  const request = await readRequest(command, options);
  if (
    request.id !== undefined ||
    request.run_at !== undefined ||
    request.held ||
    request.after ||
    request.unique
  ) {
    throw misuse(
      "what a schedule runs has no id, run_at, held, after or unique of its own",
      "leave them out",
    );
  }
  await using store = await context.openStore();
  const {
    id: _id,
    run_at: _run_at,
    after: _after,
    ...job
  } = await complete(context, store, options, request);
  const next_at = firstTime(cron, rule.tz, await store.now());
  const wanted = checkSchedule({ ...rule, name, cron, job, next_at });
  const [added] = await store.schedules.add([wanted], { replace: options.replace ?? false });
  await (options.json ? printJson(scheduleJson(added!)) : printLine(name));
  note(
    added!.paused
      ? `it stays paused; go on with queuectl schedule resume ${name}`
      : `first at ${zonedText(zoneOf(rule.tz), next_at)}`,
  );
  await hintAtWorkers(store, [job.queue]);
  return done;
}

/** What the options say of times; the rest is by default. */
export function readRule({
  tz,
  missed = "one",
  overlap = "skip",
  jitter,
}: ScheduleOptions): Pick<NewSchedule, "tz" | "missed" | "overlap" | "jitter"> {
  return {
    tz: zoneOf(tz ?? ownZone()).name,
    missed: oneOf("--missed", missed, missedPolicies),
    overlap: oneOf("--overlap", overlap, overlapPolicies),
    jitter: jitter === undefined ? 0 : seconds("jitter", jitter),
  };
}
