// queuectl why: one sentence on why a job does not run, and when it will.

import { whyText } from "../../domain/why.ts";
import { whyFacts } from "../../store/why.ts";
import { workersAsSeen } from "../../worker/liveness.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { jsonFlag, printJson, printLine } from "../output.ts";

export const commands: Commands = {
  why: { flags: [jsonFlag], run: why },
};

async function why(context: Context, words: readonly string[], options: { json?: boolean }): Promise<number> {
  await using store = await context.openStore();
  const job = await store.jobs.find(words[0]!);
  const text = whyText(job, await whyFacts(store, job, await workersAsSeen(store)));
  await (options.json ? printJson({ id: job.id, state: job.state, why: text }) : printLine(text));
  return done;
}
