// queuectl hold and queuectl release: keep waiting jobs from running, and let them run again.

import { changeMatching, jobsAre } from "../change-matching.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { note } from "../output.ts";
import { isByFilter, type WhichOptions, whichFlags } from "../which-jobs.ts";

export const commands: Commands = {
  hold: {
    usage: "hold <id…> | --tag <tag> | --queue <name> | --all",
    flags: whichFlags("All jobs"),
    run: (context, words, options: WhichOptions) => act(context, "hold", words, options),
  },
  release: {
    usage: "release <id…> | --tag <tag> | --queue <name> | --all",
    flags: whichFlags("All jobs"),
    run: (context, words, options: WhichOptions) => act(context, "release", words, options),
  },
};

const said = { hold: "held", release: "released" };

async function act(
  context: Context,
  what: "hold" | "release",
  words: readonly string[],
  options: WhichOptions,
): Promise<number> {
  const isFilter = isByFilter(what, words, options);
  await using store = await context.openStore();
  if (!isFilter) {
    const found = await findJobs(store, words);
    const jobs = await store.jobs[what](found.map(({ seq }) => seq));
    for (const { id } of jobs) note(`job ${id} is ${said[what]}`);
    return done;
  }
  const { tag, queue } = options;
  const { changed } = await changeMatching({ store, home: context.home }, what, { tag, queue });
  note(`${jobsAre(changed)} ${said[what]}`);
  return done;
}
