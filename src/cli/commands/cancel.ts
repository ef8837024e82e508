// queuectl cancel: stop jobs that wait or run.

import { version } from "../../self.ts";
import { endCancelled } from "../../worker/rescuer.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { findJobs } from "../find-jobs.ts";
import { note } from "../output.ts";
import { untilAll } from "./wait.ts";

export async function cancel(
  context: Context,
  words: readonly string[],
  options: { wait?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const found = await findJobs(store, words);
  const jobs = await store.jobs.cancel(found.map(({ seq }) => seq));
  const running = jobs.filter((job) => job.state === "processing");
  if (running.length > 0) {
    // A job whose worker is dead has nobody else to end it.
    const settings = await context.settings(store);
    for (const { seq } of running) await endCancelled(store, { home: context.home, seq, settings, version });
  }
  if (options.wait) await untilAll(store, running, (job) => job.state !== "processing");
  else for (const job of running) note(`job ${job.id} is being ended; --wait waits for it`);
  return done;
}
