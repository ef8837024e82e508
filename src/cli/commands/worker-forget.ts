// queuectl worker forget: say that a worker which cannot be seen from here is gone for good, so that its jobs run again.

import { formatDuration } from "../../domain/duration.ts";
import { Refusal } from "../../domain/errors.ts";
import { isOfThisMachine } from "../../runner/process-identity.ts";
import type { Store } from "../../store/store.ts";
import { isDead, type ProcessState, processStates, workersOf } from "../../worker/liveness.ts";
import type { Commands } from "../command.ts";
import { confirmed, yesFlag } from "../confirm.ts";
import type { Context } from "../context.ts";
import { done, notDone } from "../exit-status.ts";
import { findWorker } from "../find-worker.ts";
import { note } from "../output.ts";

export const commands: Commands = {
  "worker forget": { flags: [yesFlag], run: workerForget },
};

async function workerForget(
  context: Context,
  words: readonly string[],
  options: { yes?: boolean },
): Promise<number> {
  await using store = await context.openStore();
  const processes = await processStates(store);
  const id = findWorker(words[0]!, workersOf(processes));
  const found = processes.find(({ worker_ids }) => worker_ids.includes(id))!;
  const isHere = store.leaseMs === null ? found.liveness !== "elsewhere" : isOfThisMachine(found.identity);
  if (isHere) {
    throw new Refusal(
      "wrong_state",
      `${id} belongs to this machine`,
      "queuectl worker stop stops it; a dead one is found by the next worker",
    );
  }
  // Where leases end, a dead one has lost its jobs already, and nothing can run twice.
  if (!isDead(found) && !confirmed(await questionAbout(store, found), options)) {
    note("nothing was changed");
    return notDone;
  }
  await store.workers.forget(found.process_id);
  note(`${found.worker_ids.join(", ")} forgotten; the next worker runs what it held`);
  return done;
}

async function questionAbout(
  store: Store,
  { identity, heartbeat_at, lease_until }: ProcessState,
): Promise<string> {
  const question = `Is process ${identity.pid} on ${identity.host} gone for good? What it runs would run a second time.`;
  if (lease_until === null) return question;
  const now = await store.now();
  const [silent, left] = [now - heartbeat_at, lease_until - now].map((ms) =>
    formatDuration(Math.max(0, Math.round(ms / 1000))),
  );
  return `It was heard of ${silent} ago; if it stays silent, others get its jobs in ${left} by themselves. ${question}`;
}
