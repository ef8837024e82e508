// queuectl delete: remove jobs, their history and their logs.

import { counted } from "../../domain/counted.ts";
import { jobStates } from "../../domain/job.ts";
import { removeJobLogs } from "../../worker/job-logs.ts";
import { changeMatching, countMatching, jobsAre } from "../change-matching.ts";
import type { Commands } from "../command.ts";
import { confirmed, yesFlag } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findNamed } from "../find-jobs.ts";
import { note } from "../output.ts";
import { isByFilter, type WhichOptions, whichFlags } from "../which-jobs.ts";

export const commands: Commands = {
  delete: {
    usage: "delete <id…> | --tag <tag> | --queue <name> | --all [options]",
    flags: [...whichFlags("All jobs that do not run"), yesFlag],
    run: deleteJobs,
  },
};

interface DeleteOptions extends WhichOptions {
  readonly yes?: boolean;
}

async function deleteJobs(
  context: Context,
  words: readonly string[],
  options: DeleteOptions,
): Promise<number> {
  if (isByFilter("delete", words, options)) return deleteMatching(context, options);
  await using store = await context.openStore();
  const found = await findNamed(store, words);
  removeJobLogs({ store, home: context.home }, await store.jobs.delete(found.map(({ seq }) => seq)));
  for (const { id } of found) note(`job ${id} is deleted`);
  return done;
}

const deletedStates = jobStates.filter((state) => state !== "processing");

async function deleteMatching(context: Context, { tag, queue, yes = false }: DeleteOptions): Promise<number> {
  await using store = await context.openStore();
  const count = await countMatching(store, { tag, queue }, deletedStates);
  if (count > 0 && !confirmed(`Remove ${counted(count, "job")}, with history and logs?`, { yes })) {
    note("nothing was deleted");
    return notDone;
  }
  const place = { store, home: context.home };
  const { changed, left } = await changeMatching(place, "delete", { tag, queue });
  note(`${jobsAre(changed)} deleted`);
  if (left === 1) note("1 job is left because it runs; queuectl cancel stops it first");
  if (left > 1) note(`${left} jobs are left because they run; queuectl cancel stops them first`);
  return done;
}
