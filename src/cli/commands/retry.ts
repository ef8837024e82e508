// queuectl retry: run jobs now, or once more.

import { counted } from "../../domain/counted.ts";
import { changeMatching, countMatching, jobsAre } from "../change-matching.ts";
import type { Commands } from "../command.ts";
import { confirmed, yesFlag } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { hintAtWorkers } from "../hint-at-workers.ts";
import { note } from "../output.ts";
import { isByFilter, type WhichOptions, whichFlagsButAll } from "../which-jobs.ts";

export const commands: Commands = {
  retry: {
    usage: "retry <id…> | --tag <tag> | --queue <name> [options]",
    flags: [...whichFlagsButAll("All dead or cancelled jobs"), yesFlag],
    run: retry,
  },
};

interface RetryOptions extends WhichOptions {
  readonly yes?: boolean;
}

async function retry(context: Context, words: readonly string[], options: RetryOptions): Promise<number> {
  if (isByFilter("retry", words, options, "--tag or --queue")) return retryMatching(context, options);
  await using store = await context.openStore();
  const found = await findJobs(store, words);
  const jobs = await store.jobs.retry(found.map(({ seq }) => seq));
  for (const job of jobs) note(`job ${job.id} is pending again`);
  await hintAtWorkers(store, [...new Set(jobs.map(({ queue }) => queue))]);
  return done;
}

/** What did not come to its end. A job that completed, or has its time still before it, is run again by its id alone. */
const retriedStates = ["dead", "cancelled"] as const;

async function retryMatching(context: Context, { tag, queue, yes = false }: RetryOptions): Promise<number> {
  await using store = await context.openStore();
  const count = await countMatching(store, { tag, queue }, retriedStates);
  const question = `Run ${counted(count, "job")} again, whatever they came after?`;
  if (count > 0 && !confirmed(question, { yes })) {
    note("nothing was retried");
    return notDone;
  }
  let retried = 0;
  for (const state of retriedStates) {
    const { changed } = await changeMatching({ store, home: context.home }, "retry", { tag, queue, state });
    retried += changed;
  }
  note(`${jobsAre(retried)} pending again`);
  return done;
}
