// queuectl worker start: run jobs here, or in the background.

import { misuse } from "../../domain/errors.ts";
import { checkQueue } from "../../domain/job.ts";
import { readSetting } from "../../domain/settings.ts";
import { workerLogPath } from "../../home.ts";
import { openEventLog } from "../../log.ts";
import { newWorkerId } from "../../store/rows.ts";
import { version } from "../../version.ts";
import { startDetached } from "../../worker/detach.ts";
import { eventLine } from "../../worker/events.ts";
import { startPool } from "../../worker/pool.ts";
import { onLeaveSignal, onStopSignals } from "../../worker/shutdown.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { hint, printLine } from "../output.ts";
import { unknownQueues } from "../unknown-queues.ts";
import { countFlag, servedFlag, workerCount } from "../worker-options.ts";

export const commands: Commands = {
  "worker start": {
    flags: [
      countFlag,
      ["--detach", "Run in the background"],
      ["--until-empty", "Go when nothing waits or runs any more"],
      servedFlag,
      ["--quiet", "Say nothing here; queuectl worker logs has it all the same"],
      ["--poll <seconds>", "How often to look for jobs unasked, instead of the setting poll_interval"],
    ],
    run: workerStart,
  },
};

export interface WorkerStartOptions {
  readonly count?: string;
  readonly detach?: boolean;
  readonly untilEmpty?: boolean;
  readonly queue?: readonly string[];
  readonly poll?: string;
  readonly quiet?: boolean;
}

export async function workerStart(context: Context, _words: readonly string[], options: WorkerStartOptions) {
  const count = workerCount(options.count);
  const poll = options.poll === undefined ? undefined : readPoll(options.poll);
  const queues = options.queue ? [...new Set(options.queue)] : null;
  queues?.forEach(checkQueue);

  await using store = await context.openStore("often");
  for (const word of await unknownQueues(store, queues ?? [])) hint(word);
  if (options.detach) {
    const words = wordsAgain({ ...options, count: String(count) });
    const ids = await startDetached({ store, ...context, words });
    for (const id of ids) await printLine(id);
    hint(
      `queuectl worker logs ${ids[0]} shows what it says, queuectl worker stop ends ${count > 1 ? "all" : "it"}`,
    );
    return done;
  }
  const worker_ids = Array.from({ length: count }, newWorkerId);
  const log = openEventLog({
    worker_ids,
    pathOf: (id) => workerLogPath(context.home, id),
    echo: !options.quiet,
  });
  const pool = startPool({
    store,
    home: context.home,
    version,
    environment: context.environment,
    worker_ids,
    queues,
    until: options.untilEmpty ? "empty" : "stopped",
    poll,
    tell: (event) => log.say(eventLine(event), "worker_id" in event ? event.worker_id : undefined),
  });
  if (!options.quiet && !options.untilEmpty)
    hint("Ctrl-C stops it when its jobs are done; a second one gives them back");
  using _signals = onStopSignals(pool.stop);
  using _leave = onLeaveSignal(pool.stop);
  await pool.done;
  return done;
}

/** The same order for a background process. */
const wordsAgain = ({ count, untilEmpty, queue = [], poll }: WorkerStartOptions) => [
  "--quiet",
  `--count=${count}`,
  ...(untilEmpty ? ["--until-empty"] : []),
  ...queue.map((name) => `--queue=${name}`),
  ...(poll === undefined ? [] : [`--poll=${poll}`]),
];

function readPoll(text: string): number {
  try {
    return readSetting("poll_interval", text);
  } catch (error) {
    throw misuse((error as Error).message.replace("poll_interval", "--poll"));
  }
}
