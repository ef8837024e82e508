// queuectl schedule add: a command and the times at which it becomes a job.

import { misuse } from "../../domain/errors.ts";
import { scheduleJson } from "../../domain/json.ts";
import { checkSchedule, checkScheduled } from "../../domain/schedule.ts";
import { zonedText, zoneOf } from "../../domain/zone.ts";
import { firstTime } from "../../input/cron.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { hintAtWorkers } from "../hint-at-workers.ts";
import { jobFlagsBut } from "../job-options.ts";
import { jsonFlag, note, printJson, printLine } from "../output.ts";
import { readRule, type ScheduleOptions, scheduleFlags } from "../schedule-options.ts";
import { complete, readRequest } from "./enqueue.ts";

export const commands: Commands = {
  "schedule add": {
    usage: "schedule add <name> '<cron>' '<command>' | -- <word…> [options]",
    examples: [
      "queuectl schedule add nightly '30 2 * * *' './backup.sh' --tz Europe/Berlin",
      "queuectl schedule add ping '*/10 * * * * *' 'curl -fsS https://example.org' --overlap skip",
    ],
    flags: [...scheduleFlags, ...jobFlagsBut("id", "run-at", "delay"), jsonFlag],
    run: scheduleAdd,
  },
};

async function scheduleAdd(
  context: Context,
  words: readonly string[],
  options: ScheduleOptions & { readonly json?: boolean },
): Promise<number> {
  const [name, cron, ...command] = words as [string, string, ...string[]];
  if (command.length > 1) throw misuse("the times or the command are several words", "quote each of the two");
  const rule = readRule(options);
  const request = await readRequest(command, options);
  checkScheduled(request);
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
