// queuectl hold and queuectl release: keep waiting jobs from running, and let them run again.

import { misuse } from "../../domain/errors.ts";
import { changeMatching } from "../change-matching.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { note } from "../output.ts";
import type { Flag } from "../words.ts";

const whichFlags: readonly Flag[] = [
  ["--tag <tag>", "All with this label"],
  ["--queue <name>", "All of this queue"],
  ["--all", "All"],
];

export const commands: Commands = {
  hold: {
    usage: "hold <id…> | --tag <tag> | --queue <name> | --all",
    flags: whichFlags,
    run: (context, words, options: HoldOptions) => act(context, "hold", words, options),
  },
  release: {
    usage: "release <id…> | --tag <tag> | --queue <name> | --all",
    flags: whichFlags,
    run: (context, words, options: HoldOptions) => act(context, "release", words, options),
  },
};

interface HoldOptions {
  readonly tag?: string;
  readonly queue?: string;
  readonly all?: boolean;
}

const said = { hold: "held", release: "released" };

async function act(
  context: Context,
  what: "hold" | "release",
  words: readonly string[],
  { tag, queue, all = false }: HoldOptions,
): Promise<number> {
  const isFilter = all || tag !== undefined || queue !== undefined;
  if (isFilter === words.length > 0)
    throw misuse(`${what} which jobs? Say ids, or else --tag, --queue or --all`);
  if (all && (tag !== undefined || queue !== undefined))
    throw misuse("--all leaves nothing for --tag or --queue");
  await using store = await context.openStore();
  if (!isFilter) {
    const found = await findJobs(store, words);
    const jobs = await store.jobs[what](found.map(({ seq }) => seq));
    for (const { id } of jobs) note(`job ${id} is ${said[what]}`);
    return done;
  }
  const changed = await changeMatching({ store, home: context.home }, what, { tag, queue });
  note(`${changed} ${changed === 1 ? "job is" : "jobs are"} ${said[what]}`);
  return done;
}
