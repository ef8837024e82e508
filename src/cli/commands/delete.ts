// queuectl delete: remove jobs, their history and their logs.

import { removeJobLogs } from "../../worker/job-logs.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { hint } from "../output.ts";

export const commands: Commands = {
  delete: { run: deleteJobs },
};

async function deleteJobs(context: Context, words: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  const found = await findJobs(store, words);
  removeJobLogs({ store, home: context.home }, await store.jobs.delete(found.map(({ seq }) => seq)));
  for (const { id } of found) hint(`job ${id} is deleted`);
  return done;
}
