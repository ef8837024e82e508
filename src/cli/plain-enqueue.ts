// enqueue with a command and no more, as it is called most: without what reads options, knows other commands, and checks what else may be
// said of a job.

import { defaultsFrom, plainJob } from "../domain/plain-job.ts";
import type { Store } from "../store/store.ts";
import { makeContext, tellIfMisspelled } from "./context.ts";
import { isTerminal, printLine } from "./streams.ts";

export const isPlain = (argv: readonly string[]): argv is readonly ["enqueue", string] =>
  argv.length === 2 && argv[0] === "enqueue" && !argv[1]!.startsWith("-") && !looksLikeJson(argv[1]!);

/** `{ echo a; }` is a command, `{"command": …}` and `{}` are JSON. */
export const looksLikeJson = (text: string) => /^\s*\{\s*["}]/.test(text);

/** Refused, or done. */
export async function enqueuePlainly(command: string): Promise<void> {
  const context = makeContext();
  await tellIfMisspelled(context);
  await using store = await context.openStore();
  const job = plainJob(command, defaultsFrom(await context.settings(store), context));
  const { id, queue } = await store.jobs.enqueue(job);
  await printLine(id);
  await hintIfSeen(store, [queue]);
}

/** The hint at workers, without what that loads where nobody sees it. */
export async function hintIfSeen(store: Store, queues: readonly string[]): Promise<void> {
  if (!isTerminal(2)) return;
  const { hintAtWorkers } = await import("./hint-at-workers.ts");
  await hintAtWorkers(store, queues);
}
