// queuectl snooze: by the command of a job, to be run again later.

import { durationForms, parseDuration } from "../../domain/duration.ts";
import { misuse } from "../../domain/errors.ts";
import { checkSnooze } from "../../domain/snooze.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";

export const commands: Commands = {
  snooze: { examples: ["test -e /data/ready || exec queuectl snooze 30s"], run: snooze },
};

async function snooze(context: Context, [text]: readonly string[]): Promise<number> {
  const { QUEUECTL_JOB_ID: id, QUEUECTL_ATTEMPT: attempt } = context.environment;
  if (id === undefined || !/^[1-9]\d*$/.test(attempt ?? "")) {
    throw misuse("snooze is for the command of a job", "queuectl enqueue --delay puts off a new one");
  }
  const wait = parseDuration(text!);
  if (wait === undefined)
    throw misuse(`the duration cannot be ${JSON.stringify(text)}: it is ${durationForms}`);
  checkSnooze(wait);
  await using store = await context.openStore();
  const job = await store.jobs.find(id);
  await store.leases.snooze(job.seq, Number(attempt), Math.round(wait * 1000));
  return done;
}
