// queuectl worker forget: say that a worker which cannot be seen from here is gone for good, so that its jobs run again.

import { Refusal } from "../../domain/errors.ts";
import { livenessOf } from "../../runner/process-identity.ts";
import { confirmed } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findWorker } from "../find-worker.ts";
import { note } from "../output.ts";

export async function workerForget(
  context: Context,
  words: readonly string[],
  options: { yes?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const processes = await store.workers.processes();
  const id = findWorker(
    words[0]!,
    processes.flatMap(({ worker_ids }) => worker_ids),
  );
  const { identity, process_id, worker_ids } = processes.find((one) => one.worker_ids.includes(id))!;
  if (livenessOf(identity) !== "elsewhere") {
    throw new Refusal(
      "wrong_state",
      `${id} belongs to this machine`,
      "queuectl worker stop stops it; a dead one is found by the next worker",
    );
  }
  const question = `Is process ${identity.pid} on ${identity.host} gone for good? What it runs would run a second time.`;
  if (!confirmed(question, options)) {
    note("nothing was changed");
    return notDone;
  }
  await store.workers.forget(process_id);
  note(`${worker_ids.join(", ")} forgotten; the next worker here runs what it held`);
  return done;
}
