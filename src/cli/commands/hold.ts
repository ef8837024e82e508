// queuectl hold and queuectl release: keep waiting jobs from running, and let them run again.

import { counted } from "../../domain/counted.ts";
import { changeMatching, countMatching, jobsAre } from "../change-matching.ts";
import type { Commands } from "../command.ts";
import { confirmed, yesFlag } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { note } from "../output.ts";
import { isByFilter, type WhichOptions, whichFlags } from "../which-jobs.ts";

export const commands: Commands = {
  hold: {
    usage: "hold <id…> | --tag <tag> | --queue <name> | --all [options]",
    flags: [...whichFlags("All jobs that wait"), yesFlag],
    run: (context, words, options: HoldOptions) => act(context, "hold", words, options),
  },
  release: {
    usage: "release <id…> | --tag <tag> | --queue <name> | --all [options]",
    flags: [...whichFlags("All jobs that wait"), yesFlag],
    run: (context, words, options: HoldOptions) => act(context, "release", words, options),
  },
};

interface HoldOptions extends WhichOptions {
  readonly yes?: boolean;
}

const waitingStates = ["pending", "failed"] as const;

const said = { hold: "held", release: "released" };

async function act(
  context: Context,
  what: "hold" | "release",
  words: readonly string[],
  options: HoldOptions,
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
  const count = await countMatching(store, { tag, queue }, waitingStates);
  const those = `${counted(count, "job")} that ${count === 1 ? "waits" : "wait"}`;
  const question = what === "hold" ? `Hold ${those}?` : `Release what is held of ${those}?`;
  if (count > 0 && !confirmed(question, options)) {
    note(`nothing was ${said[what]}`);
    return notDone;
  }
  const { changed } = await changeMatching({ store, home: context.home }, what, { tag, queue });
  note(`${jobsAre(changed)} ${said[what]}`);
  return done;
}
