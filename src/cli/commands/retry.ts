// queuectl retry: run jobs now, or once more.

import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { hintAtWorkers } from "../hint-at-workers.ts";
import { note } from "../output.ts";

export const commands: Commands = {
  retry: { run: retry },
};

async function retry(context: Context, words: readonly string[]): Promise<number> {
  await using store = await context.openStore();
  const found = await findJobs(store, words);
  const jobs = await store.jobs.retry(found.map(({ seq }) => seq));
  for (const job of jobs) note(`job ${job.id} is pending again`);
  await hintAtWorkers(store, [...new Set(jobs.map(({ queue }) => queue))]);
  return done;
}
